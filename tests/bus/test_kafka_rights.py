"""A cluster with access rules.

What it refuses is an error that says so, at once, and never a wait.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from bus.bus_steps import numbered, take, values
from celebcollect.bus.base import TopicSpec
from celebcollect.bus.kafka import KafkaBus
from celebcollect.config.sections import KafkaConfig
from celebcollect.domain.errors import BusError
from services.kafka_broker import SASL_PASSWORD, SASL_USER
from services.kafka_keeper import Broker

pytestmark = pytest.mark.kafka

LOGIN = {
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanism": "PLAIN",
    "sasl.username": SASL_USER,
    "sasl.password": SASL_PASSWORD,
}


@pytest.fixture
def owner(kafka_broker: Broker) -> Iterator[KafkaBus]:
    """A bus that may do everything."""
    bus = KafkaBus(KafkaConfig(bootstrap_servers=kafka_broker.bootstrap))
    yield bus
    bus.close()


@pytest.fixture
def guest(kafka_broker: Broker) -> Iterator[KafkaBus]:
    """A bus whose user may not do what `deny` takes away."""
    bus = KafkaBus(KafkaConfig(bootstrap_servers=kafka_broker.sasl, timeout_s=2, client=LOGIN))
    yield bus
    bus.close()


def deny(kafka_broker: Broker, kind: ResourceType, name: str, *operations: AclOperation) -> None:
    """Take rights on a topic or group away from the guest."""
    admin = AdminClient({"bootstrap.servers": kafka_broker.bootstrap})
    common = (ResourcePatternType.LITERAL, f"User:{SASL_USER}", "*")
    rules = [
        AclBinding(kind, name, *common, operation, AclPermissionType.DENY)
        for operation in sorted(set(operations), key=str)
    ]
    rules.append(AclBinding(kind, name, *common, AclOperation.ALL, AclPermissionType.ALLOW))
    for future in admin.create_acls(rules).values():
        future.result(10)
    # The controller has them; the broker goes by them a moment later.
    mine = AclBindingFilter(
        kind,
        name,
        ResourcePatternType.LITERAL,
        f"User:{SASL_USER}",
        None,  # type: ignore[arg-type]  # the library takes "any host" as None
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    deadline = time.monotonic() + 10
    while len(admin.describe_acls(mine).result(10)) < len(rules):
        assert time.monotonic() < deadline, "the broker does not know the rules"
        time.sleep(0.05)


@pytest.mark.parametrize("operation", [AclOperation.WRITE, AclOperation.DESCRIBE])
def test_a_topic_that_may_not_be_written_is_told(
    kafka_broker: Broker, owner: KafkaBus, guest: KafkaBus, topic: str, operation: AclOperation
) -> None:
    """
    Publishing is refused with the topic's name and whom to ask.

    The topic may be one that can be seen or not.
    """
    owner.ensure([TopicSpec(topic)])
    deny(kafka_broker, ResourceType.TOPIC, topic, operation, AclOperation.WRITE)

    with pytest.raises(BusError, match=f"publishing to {topic}.*uthoriz") as raised:
        guest.publish(topic, numbered(1))

    assert "ask whoever runs the cluster" in raised.value.hint


def test_publishing_needs_no_right_to_see_settings(
    kafka_broker: Broker, owner: KafkaBus, guest: KafkaBus, topic: str
) -> None:
    """
    Where the topic's limit may not be asked for, Kafka's default is assumed.

    Comparing says nothing.
    """
    owner.ensure([TopicSpec(topic)])
    deny(kafka_broker, ResourceType.TOPIC, topic, AclOperation.DESCRIBE_CONFIGS)

    guest.ensure([TopicSpec(topic)])
    guest.publish(topic, numbered(3))

    assert values(owner.read(topic)) == [b"0", b"1", b"2"]


def test_a_topic_that_may_not_be_read_is_told(
    kafka_broker: Broker, owner: KafkaBus, guest: KafkaBus, topic: str, group: str
) -> None:
    """Consuming ends with an error instead of seeing nothing for ever."""
    owner.publish(topic, numbered(1))
    deny(kafka_broker, ResourceType.TOPIC, topic, AclOperation.READ)

    with (
        guest.subscribe([topic], group) as subscription,
        pytest.raises(BusError, match="uthoriz") as raised,
    ):
        take(subscription, 1)

    assert "ask whoever runs the cluster" in raised.value.hint


def test_a_group_that_may_not_be_joined_is_told(
    kafka_broker: Broker, owner: KafkaBus, guest: KafkaBus, topic: str, group: str
) -> None:
    """So does a group that belongs to somebody else."""
    owner.publish(topic, numbered(1))
    deny(kafka_broker, ResourceType.GROUP, group, AclOperation.READ)

    with (
        guest.subscribe([topic], group) as subscription,
        pytest.raises(BusError, match="uthoriz") as raised,
    ):
        take(subscription, 1)

    assert "ask whoever runs the cluster" in raised.value.hint
