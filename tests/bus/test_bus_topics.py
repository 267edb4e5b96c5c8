"""The contract of every backend.

What a message and a topic may be, compaction, and reading outside a group.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest

from bus.bus_steps import numbered, take, take_and_commit, values
from celebcollect.bus.base import Bus, Item, TopicSpec
from celebcollect.domain.errors import BusError, UsageError

HOSTILE_KEYS = [
    "",
    " ",
    "'; DROP TABLE messages; --",
    "../../etc/passwd",
    "\x00",
    "Q1\n",
    "😀",
    "עברית\u202e",
    "ß" * 300,
    "%s{}",
    "\\",
]


@pytest.mark.parametrize(
    "value",
    [None, b"", b"null", bytes(range(256)) * 4, "ünïcode 😀".encode(), bytes(1_000_000)],
    ids=lambda v: f"{str(v)[:12]}",
)
def test_a_value_arrives_as_it_was(bus: Bus, topic: str, value: bytes | None) -> None:
    """Any bytes, none at all, and no value are three different things and survive."""
    bus.publish(topic, [("Q1", value)])

    (message,) = bus.read(topic)

    assert message.value == value


def test_a_key_arrives_as_it_was(bus: Bus, topic: str) -> None:
    """Every text is a key, and no key is different from an empty one."""
    keys = [None, *HOSTILE_KEYS]

    bus.publish(topic, [(key, str(number).encode()) for number, key in enumerate(keys)])

    arrived = {int(message.value or b""): message.key for message in bus.read(topic)}
    assert arrived == dict(enumerate(keys))


def test_a_key_that_is_no_unicode_text_is_kept_as_bytes(bus: Bus, topic: str) -> None:
    """A lone surrogate, which JSON can spell, neither stops the batch nor is lost."""
    bus.publish(topic, [("\ud800", b"odd"), ("Q1", b"even")])

    messages = {message.value: message for message in bus.read(topic)}

    assert messages[b"odd"].key is None
    assert messages[b"odd"].raw_key == "\ud800".encode("utf-8", "surrogatepass")
    assert (messages[b"even"].key, messages[b"even"].raw_key) == ("Q1", None)


def test_a_message_knows_when_it_was_published(bus: Bus, topic: str) -> None:
    """The time is that of publishing, in milliseconds since 1970."""
    before_ms = time.time() * 1000

    bus.publish(topic, [("Q1", b"")])

    (message,) = bus.read(topic)
    assert before_ms - 5 <= message.timestamp_ms <= time.time() * 1000 + 5


def test_publishing_nothing_is_harmless(bus: Bus, topic: str) -> None:
    """An empty batch leaves the topic as it was, and a generator is a batch too."""
    bus.publish(topic, [])
    bus.publish(topic, (item for item in numbered(3)))
    bus.publish(topic, iter(()))

    assert values(bus.read(topic)) == [b"0", b"1", b"2"]


def test_a_batch_that_cannot_be_built_publishes_nothing(bus: Bus, topic: str) -> None:
    """An error in the caller's generator surfaces, and the messages before it are not sent."""

    def items() -> Iterator[Item]:
        yield ("Q1", b"never")
        raise RuntimeError("the source broke")

    bus.publish(topic, numbered(1))
    with pytest.raises(RuntimeError, match="the source broke"):
        bus.publish(topic, items())

    assert values(bus.read(topic)) == [b"0"]


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a b", "a/b", "ü", "x" * 250, "a;b", 'a"b', "\udcff"]
)
def test_an_impossible_topic_name_is_refused(bus: Bus, name: str, group: str) -> None:
    """Names that Kafka refuses are refused by every backend, before anything happens."""
    with pytest.raises(UsageError, match="no name for a topic"):
        bus.publish(name, numbered(1))
    with pytest.raises(UsageError, match="no name for a topic"):
        bus.subscribe([name], group)
    with pytest.raises(UsageError, match="no name for a topic"):
        bus.read(name)


def test_reading_takes_the_topic_as_it_is_now(bus: Bus, topic: str, group: str) -> None:
    """Reading shows everything, ends, sees nothing newer, and moves no group."""
    bus.publish(topic, numbered(1200))
    reader = bus.read(topic)
    first = next(reader)
    bus.publish(topic, numbered(5, start=1200))

    rest = list(reader)

    assert values([first, *rest]) == [str(number).encode() for number in range(1200)]
    assert len(take_and_commit(bus, topic, group, 1205)) == 1205


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (0, []),
        (1, [b"9"]),
        (3, [b"7", b"8", b"9"]),
        (50, [str(number).encode() for number in range(10)]),
    ],
)
def test_reading_the_newest_messages(
    bus: Bus, topic: str, last: int, expected: list[bytes]
) -> None:
    """The newest messages come oldest first, as many as there are."""
    bus.publish(topic, numbered(10))

    assert values(bus.read(topic, last=last)) == expected


def test_reading_an_unknown_topic_is_an_error(bus: Bus, topic: str) -> None:
    """A misspelled topic is told at once, and reading does not create it."""
    with pytest.raises(UsageError, match="there is no topic"):
        bus.read(topic)

    assert topic not in {info.name for info in bus.topics()}


def test_topics_are_listed_with_their_lags(bus: Bus, topic: str, group: str) -> None:
    """Every topic is there by name, with its messages and the lag of each group."""
    bus.publish(f"{topic}-b", numbered(10))
    bus.publish(f"{topic}-a", numbered(5))
    with bus.subscribe([f"{topic}-b"], group) as subscription:
        subscription.commit(take(subscription, 4))
    with bus.subscribe([f"{topic}-b"], f"{group}-2") as subscription:
        subscription.commit(take(subscription, 10))

    listed = [info for info in bus.topics() if info.name.startswith(topic)]

    assert [(info.name, info.messages) for info in listed] == [
        (f"{topic}-a", 5),
        (f"{topic}-b", 10),
    ]
    assert [dict(info.lag) for info in listed] == [{}, {group: 6, f"{group}-2": 0}]


def test_ensuring_topics_creates_the_missing_ones(
    bus: Bus, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Topics exist afterwards; doing it again changes nothing and says nothing."""
    specs = [TopicSpec(topic), TopicSpec(f"{topic}-compacted", compacted=True)]

    with caplog.at_level(logging.WARNING):
        bus.ensure(specs)
        bus.publish(topic, numbered(2))
        bus.ensure(specs)

    assert {info.name: info.messages for info in bus.topics() if info.name.startswith(topic)} == {
        topic: 2,
        f"{topic}-compacted": 0,
    }
    assert caplog.messages == []


def test_a_topic_that_differs_is_told(
    bus: Bus, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A topic that is not compacted as it should be is left alone.

    A warning names it.
    """
    bus.publish(topic, numbered(1))

    with caplog.at_level(logging.WARNING):
        bus.ensure([TopicSpec(topic, compacted=True)])

    # Commands that another test ran in this process may have let the information through, too.
    warnings = [
        record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING
    ]
    assert len(warnings) == 1
    assert topic in warnings[0]
    assert values(bus.read(topic)) == [b"0"]


def test_a_compacted_topic_ends_with_the_newest_of_each_key(
    bus: Bus, topic: str, group: str
) -> None:
    """
    Whoever reads a compacted topic late knows each key's newest value.

    So it is known which keys were withdrawn.
    """
    bus.ensure([TopicSpec(topic, compacted=True)])
    for step in range(3):
        bus.publish(topic, [(f"Q{number}", f"{step}".encode()) for number in range(10)])
    bus.publish(topic, [("Q3", None), ("Q4", b"twice"), ("Q4", b"in one batch")])

    state: dict[str | None, bytes | None] = {}
    with bus.subscribe([topic], group) as subscription:
        while subscription.lag():
            messages = subscription.poll(50, 0.2)
            state |= {message.key: message.value for message in messages}
            subscription.commit(messages)
    read = {message.key: message.value for message in bus.read(topic)}

    assert state == {f"Q{number}": b"2" for number in range(10)} | {
        "Q3": None,
        "Q4": b"in one batch",
    }
    assert read == state


def test_a_compacted_topic_wants_keys(bus: Bus, topic: str) -> None:
    """A message without a key cannot be compacted: nothing of its batch is kept."""
    bus.ensure([TopicSpec(topic, compacted=True)])

    with pytest.raises(BusError, match="key"):
        bus.publish(topic, [("Q1", b"1"), (None, b"2")])

    assert list(bus.read(topic)) == []


def test_only_the_topics_that_are_named_are_listed(bus: Bus, topic: str, group: str) -> None:
    """What others keep on the same log is not listed, and a name that is not there is not made."""
    bus.publish(f"{topic}-ours", numbered(3))
    bus.publish(f"{topic}-theirs", numbered(5))
    with bus.subscribe([f"{topic}-ours"], group) as subscription:
        subscription.commit(take(subscription, 2))

    listed = bus.topics([f"{topic}-ours", f"{topic}-missing"])

    assert [(info.name, info.messages, dict(info.lag)) for info in listed] == [
        (f"{topic}-ours", 3, {group: 1})
    ]
    assert f"{topic}-missing" not in {info.name for info in bus.topics()}
