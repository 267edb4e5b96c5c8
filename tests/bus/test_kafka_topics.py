"""Topics on a real cluster.

They are made as configured, compared with the configuration, and limit their messages.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from bus.bus_backends import OpenKafka
from bus.bus_steps import numbered, present, values
from celebcollect.bus import dead
from celebcollect.bus.base import Message, TopicSpec
from celebcollect.bus.kafka import KafkaBus
from celebcollect.config.sections import KafkaConfig
from celebcollect.domain.errors import BusError, MessageTooLarge
from services.kafka_keeper import Broker
from support import eventually

pytestmark = pytest.mark.kafka


@pytest.fixture
def opened(kafka_broker: Broker) -> Iterator[OpenKafka]:
    """Opens buses with given settings and closes them."""
    buses: list[KafkaBus] = []

    def opened(**settings: Any) -> KafkaBus:
        buses.append(KafkaBus(KafkaConfig(bootstrap_servers=kafka_broker.bootstrap, **settings)))
        return buses[-1]

    yield opened
    for bus in buses:
        bus.close()


@pytest.fixture
def admin(kafka_broker: Broker) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka_broker.bootstrap})


def options(admin: AdminClient, topic: str) -> dict[str, str]:
    (future,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return {name: entry.value for name, entry in future.result(10).items()}


def test_topics_are_made_as_configured(opened: OpenKafka, admin: AdminClient, topic: str) -> None:
    """Partitions, replication and compaction are those of configuration and specification."""
    bus = opened(partitions=5)

    bus.ensure([TopicSpec(topic), TopicSpec(f"{topic}-compacted", compacted=True)])
    bus.publish(f"{topic}-late", numbered(1))

    made = admin.list_topics(timeout=10).topics
    assert {
        len(made[name].partitions) for name in (topic, f"{topic}-compacted", f"{topic}-late")
    } == {5}
    assert options(admin, topic)["cleanup.policy"] == "delete"
    assert options(admin, f"{topic}-compacted")["cleanup.policy"] == "compact"


def test_a_topic_with_other_partitions_is_told(
    opened: OpenKafka, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What differs is named with both values, and left as it is."""
    opened(partitions=2).ensure([TopicSpec(topic)])

    with caplog.at_level(logging.WARNING):
        opened(partitions=4, replication_factor=3).ensure([TopicSpec(topic)])

    assert [line for line in caplog.messages if "partitions=2 expected=4" in line and topic in line]
    assert [line for line in caplog.messages if "replication_factor=1 expected=3" in line]


def test_more_replicas_than_brokers_is_told(opened: OpenKafka, topic: str) -> None:
    """A replication factor that the cluster cannot give ends in an error that says so."""
    with pytest.raises(BusError, match="eplication factor") as raised:
        opened(replication_factor=3).ensure([TopicSpec(topic)])

    assert "replication_factor" in raised.value.hint


def test_a_key_has_one_partition(opened: OpenKafka, topic: str) -> None:
    """All messages of a person are on one partition, and people are spread over all."""
    bus = opened(partitions=4)
    for _ in range(3):
        bus.publish(topic, [(f"Q{number}", b"") for number in range(100)])

    places: dict[str | None, set[int]] = {}
    for message in bus.read(topic):
        places.setdefault(message.key, set()).add(message.partition)

    assert {len(partitions) for partitions in places.values()} == {1}
    assert set.union(*places.values()) == {0, 1, 2, 3}


def test_the_newest_of_all_partitions_come_by_time(opened: OpenKafka, topic: str) -> None:
    """Reading the newest messages looks at every partition."""
    bus = opened(partitions=3)
    for number in range(12):
        bus.publish(topic, [(f"Q{number}", str(number).encode())])
        # Kafka's clock counts milliseconds: in one of them there is no order between partitions
        time.sleep(0.003)

    assert values(bus.read(topic, last=4)) == [b"8", b"9", b"10", b"11"]


def test_a_message_over_the_limit_does_not_hold_up_the_others(
    opened: OpenKafka, topic: str
) -> None:
    """The error names size and limit and which keys; everything else of the call is durable."""
    bus = opened(partitions=2)
    items = [
        ("Q1", b"1"),
        ("Q2", bytes(2_000_000)),
        ("Q3", b"3"),
        (None, bytes(1_500_000)),
        ("Q4", b"4"),
    ]

    with pytest.raises(
        MessageTooLarge, match=r"2 of 5 messages .* 2000002 bytes, the limit is 1048588"
    ) as raised:
        bus.publish(topic, items)

    assert raised.value.items == (("Q2", bytes(2_000_000)), (None, bytes(1_500_000)))
    assert "max.message.bytes" in raised.value.hint
    assert sorted(present(bus.read(topic))) == [b"1", b"3", b"4"]


def test_messages_up_to_the_limit_fit(opened: OpenKafka, topic: str) -> None:
    """Several messages near the limit in one call are no trouble, though over it together."""
    bus = opened(partitions=1)

    bus.publish(topic, [("Q1", bytes(1_048_400))] * 5)

    assert [len(message.value or b"") for message in bus.read(topic)] == [1_048_400] * 5


def test_a_topic_with_a_small_limit_takes_large_batches(
    opened: OpenKafka, admin: AdminClient, topic: str
) -> None:
    """Kafka's limit is about whole batches, so that many small messages must be sent in several."""
    admin.create_topics([NewTopic(topic, 1, 1, config={"max.message.bytes": "2000"})])[
        topic
    ].result(10)
    bus = opened()

    bus.publish(topic, [("Q1", f"{number}".encode() * 50) for number in range(500)])

    assert values(bus.read(topic)) == [f"{number}".encode() * 50 for number in range(500)]


PROBE = b"?" * 4000


def refuses(broker: Broker, topic: str, value: bytes) -> bool:
    """Publish a message without a bus; tell whether the broker finds it too large."""
    errors: list[KafkaError | None] = []
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    producer.flush(10)
    return bool(errors and errors[0] and errors[0].code() == KafkaError.MSG_SIZE_TOO_LARGE)


def test_a_limit_that_was_lowered_meanwhile_is_noticed(
    kafka_broker: Broker, opened: OpenKafka, admin: AdminClient, topic: str
) -> None:
    """When the broker refuses a batch for its size, its messages are tried one by one."""
    bus = opened(partitions=1)
    bus.publish(topic, numbered(1))
    change = ConfigResource(
        ResourceType.TOPIC,
        topic,
        incremental_configs=[
            ConfigEntry("max.message.bytes", "3000", incremental_operation=AlterConfigOpType.SET)
        ],
    )
    admin.incremental_alter_configs([change])[change].result(10)
    # The controller has it; the broker goes by it a moment later.
    assert eventually(lambda: refuses(kafka_broker, topic, PROBE), 30)

    with pytest.raises(MessageTooLarge) as raised:
        bus.publish(
            topic, [("Q1", bytes([number]) * 1000) for number in range(6)] + [("Q2", bytes(9000))]
        )

    assert raised.value.items == (("Q2", bytes(9000)),)
    published = [value for value in values(bus.read(topic)) if value != PROBE]
    assert published == [b"0", *(bytes([number]) * 1000 for number in range(6))]


def test_the_largest_message_fits_its_dead_topic(opened: OpenKafka, topic: str) -> None:
    """Garbage of the largest size that a topic takes can be put aside, whatever is in it."""
    bus = opened(partitions=1)
    key, value = "\x00" * 400_000, b"\x01" * 600_000
    bus.publish(topic, [(key, value), ("Q1", b"\x02" * 1_040_000)])

    letters = [dead.encode(message, "garbage") for message in bus.read(topic)]
    bus.publish(dead.dead_topic(topic), letters)

    found = [dead.decode(message.value or b"") for message in bus.read(f"{topic}.dead")]
    assert [(letter.key, letter.value) for letter in found] == [
        (key, value),
        ("Q1", b"\x02" * 1_040_000),
    ]


def test_many_may_make_a_topic_at_once(opened: OpenKafka, topic: str) -> None:
    """Who comes second finds the topic made and goes on."""
    buses = [opened() for _ in range(4)]
    barrier = threading.Barrier(len(buses))

    def make(bus: KafkaBus) -> None:
        barrier.wait()
        bus.ensure([TopicSpec(f"{topic}-{number}") for number in range(3)])

    with ThreadPoolExecutor(len(buses)) as pool:
        list(pool.map(make, buses))

    assert [info.messages for info in buses[0].topics() if info.name.startswith(topic)] == [0, 0, 0]


def test_lags_of_many_partitions_add_up(opened: OpenKafka, topic: str, group: str) -> None:
    """
    A topic's lag is the sum over its partitions.

    Those where the group has committed nothing are included.
    """
    bus = opened(partitions=6)
    bus.publish(topic, [(f"Q{number}", b"") for number in range(60)])
    with bus.subscribe([topic], group) as subscription:
        messages: list[Message] = []
        while not messages:
            messages = subscription.poll(1, 1)
        subscription.commit(messages)
        lag = subscription.lag()

    (info,) = [info for info in bus.topics() if info.name == topic]
    assert (lag, dict(info.lag), info.messages, info.partitions) == (59, {group: 59}, 60, 6)


def test_of_very_many_groups_only_ours_are_asked(
    opened: OpenKafka, topic: str, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cluster that hundreds of groups share is not asked about each of them at every look."""
    bus = opened()
    bus.publish(topic, [("Q1", b"")])
    monkeypatch.setattr("celebcollect.bus.kafka.offsets.OUR_GROUPS", {f"{group}-ours"})
    for name in (group, f"{group}-ours"):
        with bus.subscribe([topic], name) as subscription:
            messages: list[Message] = []
            while not messages:
                messages = subscription.poll(1, 1)
            subscription.commit(messages)

    (few,) = bus.topics([topic])
    monkeypatch.setattr("celebcollect.bus.kafka.offsets.MOST_GROUPS", 1)
    (many,) = bus.topics([topic])

    assert (dict(few.lag), dict(many.lag)) == ({group: 0, f"{group}-ours": 0}, {f"{group}-ours": 0})
