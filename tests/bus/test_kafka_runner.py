"""The consume loop on a real Kafka: no content of a topic holds it up."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from celebcollect.bus import dead
from celebcollect.bus.base import Message
from celebcollect.bus.kafka import KafkaBus
from celebcollect.config import KafkaConfig
from celebcollect.report import Tally
from celebcollect.stages.runner import Output, Stage, consume
from services.kafka_broker import Kafka

pytestmark = pytest.mark.kafka


@pytest.fixture
def bus(kafka_broker: Kafka) -> Iterator[KafkaBus]:
    bus = KafkaBus(KafkaConfig(bootstrap_servers=kafka_broker.bootstrap))
    yield bus
    bus.close()


def test_garbage_and_giants_do_not_hold_the_loop_up(bus: KafkaBus, topic: str, group: str) -> None:
    """The largest garbage goes to the dead letters, an output that no topic takes is a counted loss, the rest arrives, and all is committed."""
    garbage = b"\xff" * 1_040_000

    def decode(message: Message) -> tuple[str | None, bytes]:
        if message.value == garbage:
            raise ValueError("garbage")
        return message.key, message.value or b""

    def handle(items: list[tuple[str | None, bytes]]) -> Output:
        return Output(publish={f"{topic}-out": [(key, value * 2 if key == "Q2" else value) for key, value in items]})

    bus.publish(topic, [("Q1", b"1"), ("Q2", bytes(1_000_000)), ("Q3", garbage), ("Q4", b"4")])
    stage = Stage(group=group, topics=[topic], decode=decode, handle=handle, batch=10)
    tally = Tally()
    consume(stage, bus, tally, stop=threading.Event(), more_may_come=lambda: False)

    (letter,) = [dead.decode(message.value or b"") for message in bus.read(f"{topic}.dead")]
    assert (letter.key, letter.value) == ("Q3", garbage)
    assert sorted(message.key or "" for message in bus.read(f"{topic}-out")) == ["Q1", "Q4"]
    assert tally.reasons == {"undecodable": 1, "message_too_large": 1}
    assert {info.name: dict(info.lag) for info in bus.topics()}[topic] == {group: 0}
