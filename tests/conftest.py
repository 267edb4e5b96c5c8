"""Fixtures of all tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from services.kafka_broker import Kafka, kafka
from services.kafka_keeper import Broker, shared_broker
from services.ports import closed_port
from simulations import fairness
from support import SHARED_DATA, folder_of_run, missing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files whose tests take longest: one begun last keeps all waiting."""
    most: dict[Path, float] = {}
    for item in items:
        if item.get_closest_marker("slow"):
            timeout = item.get_closest_marker("timeout")
            most[item.path] = max(most.get(item.path, 1.0), timeout.args[0] if timeout else 1.0)
    items.sort(key=lambda item: (-most.get(item.path, 0.0), len(item.path.parts)))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of captured pages and answers beside the checkout."""
    if not SHARED_DATA.is_dir():
        missing(f"the captured data ({SHARED_DATA})")
    return SHARED_DATA


@pytest.fixture(scope="session")
def embeddings(shared_data: Path) -> Path:
    """526 photographs, as numbers, of 49 people whom the prototypes have never seen."""
    file = shared_data / "embeddings" / "calibration.npz"
    if not file.is_file():
        missing("the embeddings to calibrate with")
    return file


@pytest.fixture(scope="session")
def fair() -> dict[str, ModuleType]:
    """The simulations that the benchmarks on fairness print."""
    return fairness()


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port of this machine on which nobody listens."""
    with closed_port() as port:
        yield port


@pytest.fixture(scope="session")
def browser() -> None:
    """A Chromium and its driver on this machine."""
    if not any(map(shutil.which, ("chromium", "google-chrome", "chrome"))) or not shutil.which(
        "chromedriver"
    ):
        missing("a Chromium with its chromedriver")


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for the whole run; every test takes topics and groups of its own."""
    with shared_broker(folder_of_run(tmp_path_factory) / "kafka") as broker:
        yield broker


@pytest.fixture(scope="module")
def kafka_cluster() -> Iterator[Kafka]:
    """Three brokers; a test that kills some brings them back before it ends."""
    with kafka(3) as servers:
        yield servers


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own configuration and proxies out of the tests."""
    for name in list(os.environ):
        if name.startswith("CELEBCOLLECT_") or name.lower() in (
            "http_proxy",
            "https_proxy",
            "all_proxy",
        ):
            monkeypatch.delenv(name)
