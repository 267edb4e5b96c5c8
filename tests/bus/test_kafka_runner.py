"""The consume loop on a real Kafka: no content of a topic holds it up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from celebcollect.bus import dead
from celebcollect.bus.base import Item, Message, TopicSpec
from celebcollect.bus.kafka import KafkaBus
from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.config.sections import KafkaConfig
from celebcollect.domain.records import ImageCandidate
from celebcollect.domain.tally import Tally
from celebcollect.stages.runner import Output, Stage, consume, handled
from celebcollect.stages.validate import validate_stage
from services.kafka_keeper import Broker

pytestmark = pytest.mark.kafka


@pytest.fixture
def bus(kafka_broker: Broker) -> Iterator[KafkaBus]:
    bus = KafkaBus(KafkaConfig(bootstrap_servers=kafka_broker.bootstrap))
    yield bus
    bus.close()


def test_garbage_and_giants_do_not_hold_the_loop_up(bus: KafkaBus, topic: str, group: str) -> None:
    """
    The largest garbage goes to the dead letters, and all is committed.

    An output that no topic takes is a counted loss; the rest arrives.
    """
    garbage = b"\xff" * 1_040_000

    def decode(message: Message) -> tuple[str | None, bytes]:
        if message.value == garbage:
            raise ValueError("garbage")
        return message.key, message.value or b""

    def handle(items: list[tuple[str | None, bytes]]) -> Future[Output]:
        doubled: list[Item] = [(key, value * 2 if key == "Q2" else value) for key, value in items]
        return handled(Output(publish={f"{topic}-out": doubled}))

    bus.publish(topic, [("Q1", b"1"), ("Q2", bytes(1_000_000)), ("Q3", garbage), ("Q4", b"4")])
    stage = Stage(group=group, topics=[topic], decode=decode, handle=handle, batch=10)
    tally = Tally()
    consume(stage, bus, tally, stop=threading.Event(), more_may_come=lambda: False)

    (letter,) = [dead.decode(message.value or b"") for message in bus.read(f"{topic}.dead")]
    assert (letter.key, letter.value) == ("Q3", garbage)
    assert sorted(message.key or "" for message in bus.read(f"{topic}-out")) == ["Q1", "Q4"]
    assert tally.reasons == {"undecodable": 1, "message_too_large": 1}
    assert {info.name: dict(info.lag) for info in bus.topics()}[topic] == {group: 0}


def test_a_candidate_that_the_next_topic_does_not_take_is_not_taken_for_known(
    kafka_broker: Broker, topic: str, tmp_path: Path
) -> None:
    """
    `validate` drops it with a reason and marks nothing.

    So it passes when it comes again and the topic's limit was raised.
    """

    def limit(size: int) -> None:
        raised = ConfigEntry(
            "max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET
        )
        change = ConfigResource(ResourceType.TOPIC, f"{topic}-out", incremental_configs=[raised])
        admin = AdminClient({"bootstrap.servers": kafka_broker.bootstrap})
        admin.incremental_alter_configs([change])[change].result(10)

    def validated() -> Tally:
        tally = Tally()
        with closing(KafkaBus(KafkaConfig(bootstrap_servers=kafka_broker.bootstrap))) as bus:
            bus.publish(topic, [(one.qid, one.to_json()) for one in (small, large)])
            stage = validate_stage(
                catalogue,
                candidate_topics=[topic],
                verified_topic=f"{topic}-out",
                allow_private=True,
                tally=tally,
            )
            consume(stage, bus, tally, stop=threading.Event(), more_may_come=lambda: False)
        return tally

    small = ImageCandidate(
        schema_version=1, qid="Q1", name="One", url="http://example.com/1.jpg", source="test"
    )
    large = small.model_copy(update={"url": f"http://example.com/{'2' * 900}.jpg"})
    with (
        closing(KafkaBus(KafkaConfig(bootstrap_servers=kafka_broker.bootstrap))) as bus,
        closing(EmbeddedCatalogue(tmp_path / "c")) as catalogue,
    ):
        bus.ensure([TopicSpec(f"{topic}-out")])
        limit(500)
        first, seen = validated(), [row.url for row in catalogue.images()]
        limit(5000)
        second = validated()
        arrived = [
            ImageCandidate.model_validate_json(message.value or b"").url
            for message in bus.read(f"{topic}-out")
        ]

    assert (first.counts, first.reasons, seen) == (
        {"verified": 1},
        {"message_too_large": 1},
        [small.url],
    )
    assert (second.counts, second.reasons) == ({"verified": 1}, {"known": 1})
    assert sorted(arrived) == [small.url, large.url]
