"""Fixtures of all tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from support import SHARED_DATA, missing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests: one that is begun last keeps all the other workers waiting for its end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of captured pages and answers beside the checkout."""
    if not SHARED_DATA.is_dir():
        missing(f"the captured data ({SHARED_DATA})")
    return SHARED_DATA


@pytest.fixture(scope="session")
def browser() -> None:
    """A Chromium and its driver on this machine."""
    if not any(map(shutil.which, ("chromium", "google-chrome", "chrome"))) or not shutil.which("chromedriver"):
        missing("a Chromium with its chromedriver")


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own configuration and proxies out of the tests."""
    for name in list(os.environ):
        if name.startswith("CELEBCOLLECT_") or name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name)
