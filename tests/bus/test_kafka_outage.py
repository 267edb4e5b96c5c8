"""A cluster of three brokers that loses one, or all for a while.

Work waits, says so once, goes on, and nothing is lost.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from bus.bus_steps import PATIENCE_S, take, values
from celebcollect.bus.base import Message, TopicSpec
from celebcollect.bus.kafka import KafkaBus
from celebcollect.config.sections import KafkaConfig
from celebcollect.domain.errors import BusError, Interrupted
from services.kafka_broker import Kafka, kafka

OUTAGE_S = float(os.environ.get("KAFKA_OUTAGE_S", "8"))
"""How long all brokers are down; more than the 3 to 5 s after which both sides have noticed."""

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


class Traffic:
    """One thread publishes numbers, one consumes and commits them, until told to stop."""

    def __init__(self, bus: KafkaBus, topic: str, group: str) -> None:
        self._bus, self._topic, self._group = bus, topic, group
        self._end = threading.Event()
        self.acknowledged: list[int] = []
        self.received: list[Message] = []
        self.errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._run, args=(work,))
            for work in (self._publish, self._consume)
        ]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def flows(self, more: int = 50) -> None:
        """Wait until so many more messages have gone all the way."""
        published, received = len(self.acknowledged) + more, len(self.received) + more
        deadline = time.monotonic() + PATIENCE_S
        while len(self.acknowledged) < published or len(self.received) < received:
            assert not self.errors, self.errors
            assert time.monotonic() < deadline, (len(self.acknowledged), len(self.received))
            time.sleep(0.02)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the test's thread looks at it
            self.errors.append(error)

    def _publish(self) -> None:
        for start in itertools.count(0, 10):
            if self._end.is_set():
                return
            self._bus.publish(
                self._topic,
                [(f"Q{number % 7}", str(number).encode()) for number in range(start, start + 10)],
            )
            self.acknowledged += range(start, start + 10)
            time.sleep(0.02)

    def _consume(self) -> None:
        with self._bus.subscribe([self._topic], self._group) as subscription:
            while not (
                self._end.is_set() and not self._threads[0].is_alive() and subscription.lag() == 0
            ):
                messages = subscription.poll(100, 0.2)
                self.received += messages
                subscription.commit(messages)

    def nothing_lost(self) -> bool:
        """
        Say whether all that was acknowledged arrived.

        Each key's messages come in their order, repeats apart.
        """
        first_seen = list(dict.fromkeys(int(message.value or b"") for message in self.received))
        ordered = all(
            mine == sorted(mine)
            for key in range(7)
            if (mine := [number for number in first_seen if number % 7 == key]) is not None
        )
        return set(self.acknowledged) <= set(first_seen) and ordered


@pytest.fixture
def cluster(kafka_cluster: Kafka) -> Iterator[Kafka]:
    """Three brokers, all of them up again afterwards."""
    yield kafka_cluster
    kafka_cluster.start_missing()
    kafka_cluster.wait()


@pytest.fixture
def mortal() -> Iterator[Kafka]:
    """One broker of the test's own, to be killed for good."""
    with kafka() as servers:
        yield servers


def opened(cluster: Kafka) -> KafkaBus:
    return KafkaBus(
        KafkaConfig(bootstrap_servers=cluster.bootstrap, partitions=3, replication_factor=3)
    )


def test_one_broker_of_three_is_killed_and_comes_back(
    cluster: Kafka, topic: str, group: str
) -> None:
    """
    The cluster carries everything that was acknowledged.

    So it does without one of its brokers, and with it again.
    """
    bus = opened(cluster)
    bus.ensure([TopicSpec(topic)])
    with Traffic(bus, topic, group) as traffic:
        traffic.flows()
        cluster.kill(1)
        traffic.flows(100)
        cluster.start_missing()
        cluster.wait()
        traffic.flows(100)
    kept = {int(value or b"") for value in values(bus.read(topic))}
    bus.close()

    assert traffic.errors == []
    assert traffic.nothing_lost()
    assert set(traffic.acknowledged) <= kept


def test_all_brokers_are_down_for_a_while(
    cluster: Kafka, topic: str, group: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Publishing and consuming wait, one line tells of it and one of its end; nothing is lost."""
    bus = opened(cluster)
    bus.ensure([TopicSpec(topic)])
    with Traffic(bus, topic, group) as traffic, caplog.at_level(logging.WARNING, "celebcollect"):
        traffic.flows()
        cluster.kill()
        time.sleep(OUTAGE_S)
        silent = len(traffic.received), len(traffic.acknowledged)
        cluster.start_missing()
        cluster.wait()
        traffic.flows(100)
    bus.close()

    said = [line.split(" servers=")[0] for line in caplog.messages]
    assert traffic.errors == []
    assert silent < (len(traffic.received), len(traffic.acknowledged))
    assert traffic.nothing_lost()
    assert said == ["waiting for Kafka", "Kafka is back"]


def test_waiting_ends_when_the_program_is_to_stop(mortal: Kafka, topic: str, group: str) -> None:
    """
    While the cluster is gone, a stop ends publishing, committing and the lag.

    Questions give up; closing is quick.
    """
    stop = threading.Event()
    bus = KafkaBus(
        KafkaConfig(bootstrap_servers=mortal.bootstrap, client={"session.timeout.ms": 2000}),
        stop=stop,
    )
    bus.publish(topic, [("Q1", b"1")])
    subscription = bus.subscribe([topic], group)
    messages = take(subscription, 1)
    mortal.kill()
    stop.set()

    with pytest.raises(Interrupted, match="waiting for Kafka"):
        bus.publish(topic, [("Q1", b"2")])
    with pytest.raises(Interrupted):
        subscription.commit(messages)
    with pytest.raises(Interrupted):
        subscription.lag()
    start = time.monotonic()
    subscription.close()
    bus.close()
    closing_s = time.monotonic() - start

    assert closing_s < 15  # requests that nobody answers end after a minute


def test_a_question_about_topics_gives_up(mortal: Kafka, topic: str) -> None:
    """Nobody's work depends on a listing: it ends with an error instead of waiting for ever."""
    bus = KafkaBus(KafkaConfig(bootstrap_servers=mortal.bootstrap, timeout_s=1))
    bus.publish(topic, [("Q1", b"1")])
    mortal.kill()

    with pytest.raises(BusError, match="listing topics") as raised:
        bus.topics()
    with pytest.raises(BusError, match=f"reading {topic}"):
        bus.read(topic)
    bus.close()

    assert "bootstrap_servers" in raised.value.hint
