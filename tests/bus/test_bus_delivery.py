"""The contract of every backend.

What is published arrives, in order, and again until it is committed.
"""

from __future__ import annotations

import threading
import time

import pytest

from bus.bus_backends import Backend
from bus.bus_steps import drained, numbered, take, take_and_commit, values
from celebcollect.bus.base import Bus, Item


def test_messages_of_a_key_arrive_in_the_order_of_publishing(
    bus: Bus, topic: str, group: str
) -> None:
    """Each key's messages keep their order over batches and partitions."""
    keys = [f"Q{number}" for number in range(1, 8)]
    for batch in range(10):
        bus.publish(topic, [(key, f"{batch}/{step}".encode()) for step in range(5) for key in keys])

    with bus.subscribe([topic], group) as subscription:
        messages = take(subscription, 350)

    expected = [f"{batch}/{step}".encode() for batch in range(10) for step in range(5)]
    for key in keys:
        assert [message.value for message in messages if message.key == key] == expected


def test_offsets_grow_and_coordinates_are_unique(bus: Bus, topic: str, group: str) -> None:
    """A message is known by topic, partition and offset, and offsets grow within a partition."""
    bus.publish(topic, [item for key in "abcdef" for item in numbered(20, key)])

    with bus.subscribe([topic], group) as subscription:
        messages = take(subscription, 120)

    assert len({(message.topic, message.partition, message.offset) for message in messages}) == 120
    for partition in {message.partition for message in messages}:
        offsets = [message.offset for message in messages if message.partition == partition]
        assert offsets == sorted(offsets)
    assert {message.topic for message in messages} == {topic}


def test_uncommitted_messages_come_again(bus: Bus, topic: str, group: str) -> None:
    """Closing without a commit delivers everything again to the next subscription of the group."""
    bus.publish(topic, numbered(20))
    with bus.subscribe([topic], group) as subscription:
        first = take(subscription, 20)

    with bus.subscribe([topic], group) as subscription:
        again = take(subscription, 20)

    assert values(again) == values(first)


def test_a_commit_outlives_the_bus(backend: Backend, topic: str, group: str) -> None:
    """What was committed stays committed when the process starts anew; the rest comes again."""
    bus = backend.open()
    bus.publish(topic, numbered(30))
    with bus.subscribe([topic], group) as subscription:
        subscription.commit(take(subscription, 10))
        take(subscription, 10)
    bus.close()

    bus = backend.open()
    with bus.subscribe([topic], group) as subscription:
        rest = take(subscription, 20)
        subscription.commit(rest)
        finished = drained(subscription)
    bus.close()

    assert values(rest) == [str(number).encode() for number in range(10, 30)]
    assert finished


def test_polled_messages_do_not_come_twice_to_one_subscription(
    bus: Bus, topic: str, group: str
) -> None:
    """A subscription goes forward even when it has not committed yet."""
    bus.publish(topic, numbered(10))

    with bus.subscribe([topic], group) as subscription:
        first, second = take(subscription, 5), take(subscription, 5)
        more = subscription.poll(10, 0.3)

    assert values(first + second) == [str(number).encode() for number in range(10)]
    assert more == []


def test_poll_returns_no_more_than_asked(bus: Bus, topic: str, group: str) -> None:
    """The limit holds, however much is waiting."""
    bus.publish(topic, numbered(50))

    with bus.subscribe([topic], group) as subscription:
        sizes: list[int] = []
        while sum(sizes) < 50:
            sizes.append(len(subscription.poll(7, 0.5)))

    assert max(sizes) == 7


def test_groups_are_independent(bus: Bus, topic: str, group: str) -> None:
    """One group's commit does not hide a message from another group."""
    bus.publish(topic, numbered(10))
    take_and_commit(bus, topic, group, 10)

    with bus.subscribe([topic], f"{group}-other") as subscription:
        messages = take(subscription, 10)

    assert values(messages) == [str(number).encode() for number in range(10)]


def test_a_new_group_starts_at_the_beginning(bus: Bus, topic: str, group: str) -> None:
    """A group gets what was published before it was ever seen, and what comes later."""
    bus.publish(topic, numbered(5))

    with bus.subscribe([topic], group) as subscription:
        early = take(subscription, 5)
        bus.publish(topic, numbered(5, start=5))
        late = take(subscription, 5)

    assert values(early + late) == [str(number).encode() for number in range(10)]


def test_one_subscription_reads_several_topics(bus: Bus, topic: str, group: str) -> None:
    """Messages of all topics arrive, and one commit covers them all."""
    names = [f"{topic}-{number}" for number in range(3)]
    for name in names:
        bus.publish(name, numbered(40))

    with bus.subscribe(names, group) as subscription:
        messages = take(subscription, 120)
        subscription.commit(messages)
        finished = drained(subscription)

    for name in names:
        assert [message.value for message in messages if message.topic == name] == [
            str(number).encode() for number in range(40)
        ]
    assert finished


def test_a_subscription_to_a_missing_topic_sees_it_come(bus: Bus, topic: str, group: str) -> None:
    """A consumer may start before the first message was ever published."""
    with bus.subscribe([topic], group) as subscription:
        nothing = subscription.poll(10, 0.1)
        lag = subscription.lag()
        bus.publish(topic, numbered(3))
        messages = take(subscription, 3)

    assert (nothing, lag) == ([], 0)
    assert values(messages) == [b"0", b"1", b"2"]


def test_an_empty_poll_takes_its_time_and_no_more(bus: Bus, topic: str, group: str) -> None:
    """Without messages, poll comes back with nothing about when it was told to."""
    with bus.subscribe([topic], group) as subscription:
        start = time.monotonic()
        messages = subscription.poll(10, 0.3)
        waited_s = time.monotonic() - start

    assert messages == []
    assert (
        0.2 < waited_s < 10
    )  # a busy machine is late; sessions and requests end after 30 s and more


def test_a_waiting_poll_sees_a_new_message_at_once(bus: Bus, topic: str, group: str) -> None:
    """A poll with much patience returns with the first message, without waiting for more."""
    bus.publish(topic, numbered(1))
    with bus.subscribe([topic], group) as subscription:
        take(subscription, 1)
        later = threading.Timer(0.3, bus.publish, (topic, numbered(1, start=1)))
        later.start()
        start = time.monotonic()
        messages = subscription.poll(10, 20)
        waited_s = time.monotonic() - start
        later.join()

    assert values(messages) == [b"1"]
    assert waited_s < 15


def test_lag_counts_what_is_not_committed(bus: Bus, topic: str, group: str) -> None:
    """Polling changes nothing, committing does, publishing again does; 0 means drained."""
    bus.publish(topic, [item for key in "abc" for item in numbered(10, key)])
    lags = []
    with bus.subscribe([topic], group) as subscription:
        lags.append(subscription.lag())
        messages = take(subscription, 30)
        lags.append(subscription.lag())
        subscription.commit(messages)
        lags.append(subscription.lag())
        bus.publish(topic, numbered(4))
        lags.append(subscription.lag())

    assert lags == [30, 30, 0, 4]


def test_an_older_commit_does_not_undo_a_newer_one(bus: Bus, topic: str, group: str) -> None:
    """Batches committed in the wrong order, or twice, leave the newest place."""
    bus.publish(topic, numbered(20))
    with bus.subscribe([topic], group) as subscription:
        first, second = take(subscription, 10), take(subscription, 10)
        subscription.commit(second)
        subscription.commit(first)
        subscription.commit([])
        lag = subscription.lag()

    assert lag == 0


@pytest.mark.parametrize("threads", [4])
def test_threads_publish_at_once(bus: Bus, topic: str, group: str, threads: int) -> None:
    """Several threads share one bus; nothing is lost and each thread's order is kept."""

    def work(name: str) -> None:
        for batch in range(10):
            items: list[Item] = [(name, f"{batch}-{number}".encode()) for number in range(20)]
            bus.publish(topic, items)

    workers = [threading.Thread(target=work, args=(f"Q{number + 1}",)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    with bus.subscribe([topic], group) as subscription:
        messages = take(subscription, threads * 200)
        finished = subscription.poll(10, 0.2) == []
    for number in range(threads):
        mine = [message.value for message in messages if message.key == f"Q{number + 1}"]
        assert mine == [f"{batch}-{step}".encode() for batch in range(10) for step in range(20)]
    assert finished


@pytest.mark.slow
def test_processes_publish_at_once(backend: Backend, bus: Bus, topic: str, group: str) -> None:
    """Two processes share one topic; nothing is lost and each one's order is kept."""
    workers = [backend.start("publish", topic, tag, 40, 25) for tag in ("Q1", "Q2")]
    errors = [worker.communicate(timeout=60)[1] for worker in workers]

    messages = take_and_commit(bus, topic, group, 2000)

    assert ([worker.returncode for worker in workers], errors) == ([0, 0], ["", ""])
    for tag in ("Q1", "Q2"):
        mine = [message.value for message in messages if message.key == tag]
        assert mine == [
            f"{tag}-{batch}-{number}".encode() for batch in range(40) for number in range(25)
        ]
