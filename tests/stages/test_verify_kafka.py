"""`verify` on a real Kafka: a compacted topic with partitions, and tombstones on it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from celebcollect.bus.kafka import KafkaBus
from celebcollect.config.sections import KafkaConfig
from services.kafka_keeper import Broker
from stages import verifying
from stages.verifying import Collection, hurt, key_of

pytestmark = pytest.mark.kafka


@pytest.fixture
def collection(
    kafka_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Collection]:
    """A collection whose log is Kafka, with a topic that nobody else has."""
    with closing(Collection(tmp_path)) as collection:
        collection.bus.close()
        monkeypatch.setattr(verifying, "TOPIC", f"clean-{uuid.uuid4().hex}")
        config = KafkaConfig(bootstrap_servers=kafka_broker.bootstrap, partitions=3)
        collection.bus = KafkaBus(config)
        collection.open()
        yield collection


def test_what_is_wrong_is_named_and_mended(collection: Collection) -> None:
    """Messages that are missing or too many, over all partitions."""
    rows = collection.fill(5, 8)
    done = hurt(collection, rows, 2)
    value = next(iter(collection.bus.read(verifying.TOPIC))).value
    unknown = f"Q77/{'ab' * 32}"
    collection.bus.publish(verifying.TOPIC, [(unknown, value)])
    done.add(("message_too_many", unknown))

    assert collection.found(fix=True) == done
    assert collection.found() == set()
    newest = {message.key: message.value for message in collection.bus.read(verifying.TOPIC)}
    live = {key for key, value in newest.items() if value is not None}
    assert live == {key_of(row) for row in rows[10:]}
