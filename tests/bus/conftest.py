"""The backends that every test of the contract runs over."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bus.bus_process import open_bus
from celebcollect.bus.base import Bus


@dataclass(frozen=True)
class Backend:
    """A place that keeps messages, which this process and others open."""

    kind: str
    where: str

    def open(self) -> Bus:
        return open_bus(self.kind, self.where)

    def start(self, action: str, *arguments: object) -> subprocess.Popen[str]:
        """Start another process on the same backend; see bus_process.py."""
        script = Path(__file__).with_name("bus_process.py")
        command = [sys.executable, str(script), self.kind, self.where, action, *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    if request.param == "kafka":
        return Backend("kafka", request.getfixturevalue("kafka_broker").bootstrap)
    return Backend("embedded", str(tmp_path / "log"))


@pytest.fixture
def embedded(tmp_path: Path) -> Backend:
    """The embedded log, for what only it promises."""
    return Backend("embedded", str(tmp_path / "log"))


@pytest.fixture
def backend_on_kafka(kafka_broker) -> Backend:
    """Kafka, for what only it promises."""
    return Backend("kafka", kafka_broker.bootstrap)


@pytest.fixture
def bus(backend: Backend) -> Iterator[Bus]:
    bus = backend.open()
    yield bus
    bus.close()


@pytest.fixture
def topic() -> str:
    """A topic that no other test uses: a Kafka broker outlives the test."""
    return f"topic-{uuid.uuid4().hex}"


@pytest.fixture
def group() -> str:
    return f"group-{uuid.uuid4().hex}"
