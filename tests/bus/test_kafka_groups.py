"""Consumer groups of a real cluster.

Members share the work, and what a member has lost it never commits.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from bus.bus_backends import Backend
from bus.bus_steps import PATIENCE_S, values
from celebcollect.bus.base import Message, Subscription, TopicSpec
from celebcollect.bus.kafka import KafkaBus
from celebcollect.config.sections import KafkaConfig
from celebcollect.domain.errors import ConfigError
from services.kafka_keeper import Broker

pytestmark = pytest.mark.kafka

SHORT = {"session.timeout.ms": 1500, "max.poll.interval.ms": 1500, "heartbeat.interval.ms": 200}
"""A group that notices a silent member soon."""


@pytest.fixture
def bus(kafka_broker: Broker) -> Iterator[KafkaBus]:
    bus = KafkaBus(
        KafkaConfig(
            bootstrap_servers=kafka_broker.bootstrap,
            partitions=4,
            client={"heartbeat.interval.ms": 200},
        )
    )
    yield bus
    bus.close()


def fill(bus: KafkaBus, topic: str, count: int = 200) -> None:
    """Publish messages with as many keys, so that every partition has some."""
    bus.ensure([TopicSpec(topic)])
    bus.publish(topic, [(f"Q{number}", str(number).encode()) for number in range(count)])


def turns(
    members: Sequence[Subscription], until: Callable[[list[list[Message]]], bool], limit: int = 500
) -> list[list[Message]]:
    """Let members poll in turn until a condition on what each has seen holds."""
    seen: list[list[Message]] = [[] for _ in members]
    deadline = time.monotonic() + PATIENCE_S
    while not until(seen):
        assert time.monotonic() < deadline, [len(messages) for messages in seen]
        for member, messages in zip(members, seen, strict=True):
            messages += member.poll(limit, 0.05)
    return seen


def partitions(messages: Sequence[Message]) -> set[int]:
    return {message.partition for message in messages}


def test_members_share_the_partitions(bus: KafkaBus, topic: str, group: str) -> None:
    """Two members get every message once, each from partitions of its own."""
    fill(bus, topic, 4)
    with bus.subscribe([topic], group) as one, bus.subscribe([topic], group) as two:
        early = turns([one, two], lambda seen: sum(map(len, seen)) >= 4)
        one.commit(early[0])
        two.commit(early[1])
        turns([one, two], lambda _: len(one._owned) == len(two._owned) == 2)
        bus.publish(topic, [(f"Q{number}", b"x") for number in range(100)])
        late = turns([one, two], lambda seen: sum(map(len, seen)) >= 100)
        one.commit(late[0])
        two.commit(late[1])
        lags = (one.lag(), two.lag())

    assert (len(partitions(late[0])), len(partitions(late[1]))) == (2, 2)
    assert partitions(late[0]).isdisjoint(partitions(late[1]))
    assert len(late[0] + late[1]) == 100
    assert lags == (0, 0)


def test_work_on_a_revoked_partition_is_given_up(bus: KafkaBus, topic: str, group: str) -> None:
    """
    What a member had polled, and another commits, the first never commits.

    The partition went to the other before the commit.
    """
    fill(bus, topic)
    with bus.subscribe([topic], group) as one:
        in_flight = turns([one], lambda seen: len(seen[0]) == 200)[0]
        with bus.subscribe([topic], group) as two:
            taken_over = turns([one, two], lambda seen: len(partitions(seen[1])) == 2)[1]
            one.commit(in_flight)
            lag = two.lag()
            two.commit(taken_over)
            finished = two.lag()

    expected = [message for message in in_flight if message.partition in partitions(taken_over)]
    assert lag == len(expected)
    assert {message.value for message in taken_over} <= {message.value for message in expected}
    assert finished == len(expected) - len(taken_over)


def test_a_partition_that_comes_back_is_not_set_back(bus: KafkaBus, topic: str, group: str) -> None:
    """A commit for work from before a partition was away undoes no later commit."""
    fill(bus, topic)
    with bus.subscribe([topic], group) as one:
        old = turns([one], lambda seen: len(seen[0]) == 200)[0]
        with bus.subscribe([topic], group) as two:
            newer = turns([one, two], lambda seen: len(partitions(seen[1])) == 2)[1]
            two.commit(newer)
        turns([one], lambda _: len(one._owned) == 4)
        one.commit([message for message in old if message.partition in partitions(newer)][:3])
        lag = one.lag()

    assert lag == 200 - len(newer)


def test_a_member_that_was_too_slow_gives_its_work_up(
    kafka_broker: Broker, bus: KafkaBus, topic: str, group: str, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A member that the group has left behind neither commits nor fails.

    It goes on with what it is given anew.
    """
    fill(bus, topic)
    config = KafkaConfig(bootstrap_servers=kafka_broker.bootstrap, client=SHORT)
    # Closed whatever happens: librdkafka can wait for ever for the end of a consumer that its group
    # has thrown out and nobody has closed.
    with closing(KafkaBus(config)) as slow_bus, slow_bus.subscribe([topic], group) as slow:
        late = turns([slow], lambda seen: len(seen[0]) == 200)[0]
        with bus.subscribe([topic], group) as quick, caplog.at_level(logging.INFO):
            taken_over = turns([quick], lambda seen: len(seen[0]) == 200)[0]
            quick.commit(taken_over[:150])
            before = quick.lag()
            slow.commit(late)
            after = quick.lag()
            again = turns(
                [slow, quick], lambda seen: len(slow._owned) == 2 and len(seen[0] + seen[1]) >= 50
            )
            slow.commit(again[0])
            quick.commit(again[1] + taken_over)
            finished = quick.lag()

    assert before == after == 50
    assert finished == 0
    assert [line for line in caplog.messages if "max.poll.interval.ms" in line]


class MeetsARebalance:
    """A consumer whose first commit meets a change of the group's generation."""

    def __init__(self, consumer: Any) -> None:
        self._consumer, self.refused = consumer, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    def commit(self, **options: Any) -> Any:
        if not self.refused:
            self.refused += 1
            raise KafkaException(KafkaError(KafkaError.ILLEGAL_GENERATION))
        return self._consumer.commit(**options)


def test_a_commit_that_meets_a_rebalance_is_made_up_for(
    bus: KafkaBus, topic: str, group: str
) -> None:
    """
    A member keeps its place in partitions that stay its own, so nobody repeats that work.

    Without another try the lag would stay for ever.
    """
    fill(bus, topic, 20)
    with bus.subscribe([topic], group) as one:
        messages = turns([one], lambda seen: len(seen[0]) == 20)[0]
        one._consumer = late = MeetsARebalance(one._consumer)  # type: ignore[assignment]
        one.commit(messages)
        before = one.lag()
        more = one.poll(10, 0.1)
        after = one.lag()

    assert (late.refused, before, more, after) == (1, 20, [], 0)


def test_a_session_timeout_that_the_broker_refuses_is_told(
    kafka_broker: Broker, topic: str, group: str
) -> None:
    """The group would never take us: the setting is named, instead of waiting for ever."""
    bus = KafkaBus(
        KafkaConfig(
            bootstrap_servers=kafka_broker.bootstrap,
            client={"session.timeout.ms": 500, "heartbeat.interval.ms": 100},
        )
    )
    with (
        bus.subscribe([topic], group) as subscription,
        pytest.raises(ConfigError, match=r"session\.timeout\.ms") as raised,
    ):
        turns([subscription], lambda _: False)
    bus.close()

    assert raised.value.exit_code == 2


def test_a_killed_members_partitions_go_to_the_others(
    backend_on_kafka: Backend, bus: KafkaBus, topic: str, group: str
) -> None:
    """
    After kill -9 the group waits for the session to end.

    Then another member repeats what was not committed.
    """
    fill(bus, topic)
    worker = backend_on_kafka.start("consume", topic, group, 20, 0)
    assert worker.stdout is not None
    lines = [worker.stdout.readline() for _ in range(2)]
    worker.kill()
    worker.communicate(timeout=10)

    with bus.subscribe([topic], group) as survivor:
        messages = turns([survivor], lambda seen: len(seen[0]) >= 200)[0]
        survivor.commit(messages)
        lag = survivor.lag()

    assert len(lines[1].split(",")) > 0
    assert sorted(int(value or b"") for value in values(messages)) == list(range(200))
    assert lag == 0


def test_coming_and_going_loses_nothing(bus: KafkaBus, topic: str, group: str) -> None:
    """
    Members join, leave with work in flight and commit late, at random.

    Every message is handled before it is committed.
    """
    chance = random.Random(7)
    fill(bus, topic, 3000)
    handled: set[bytes | None] = set()
    members: list[tuple[Subscription, list[Message]]] = []
    departures = 0
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if len(members) < 3:
            members.append((bus.subscribe([topic], group), []))
        got = 0
        for member, in_flight in members:
            messages = member.poll(50, 0.02)
            got += len(messages)
            in_flight += messages
            if chance.random() < 0.5 or departures == 4:
                handled |= set(values(in_flight))
                member.commit(in_flight)
                in_flight.clear()
        if got and departures < 4 and chance.random() < 0.2:
            departures += 1
            members.pop(chance.randrange(len(members)))[0].close()
        if not got and departures == 4 and members[0][0].lag() == 0:
            break
    lag = members[0][0].lag()
    for member, _ in members:
        member.close()

    assert (lag, departures) == (0, 4)
    assert handled == {str(number).encode() for number in range(3000)}
