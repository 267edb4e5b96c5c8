"""The backends that every test of the contract runs over."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.bus_backends import Backend
from celebcollect.bus.base import Bus
from services.kafka_keeper import Broker


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
def backend_on_kafka(kafka_broker: Broker) -> Backend:
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
