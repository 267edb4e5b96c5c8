"""The embedded log can remove single messages for good, without anybody else noticing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.bus_steps import drained, numbered, present, take, take_and_commit, values
from celebcollect.bus.base import Message, Purging, TopicSpec
from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.domain.errors import BusError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def bus(folder: Path) -> Iterator[EmbeddedBus]:
    bus = EmbeddedBus(folder)
    yield bus
    bus.close()


def written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


def test_the_picked_messages_are_gone_from_every_topic(bus: EmbeddedBus) -> None:
    """Others keep their order and their offsets."""
    for topic in ("urls", "urls.dead"):
        bus.publish(topic, [("Q1", b"a"), ("Q2", b"b"), ("Q1", b"c"), ("Q3", b"d")])
    bus.publish("untouched", numbered(3, "Q3"))

    removed = bus.purge(lambda message: message.key == "Q1")

    assert isinstance(bus, Purging)
    assert removed == {"urls": 2, "urls.dead": 2}
    assert [(message.offset, message.value) for message in bus.read("urls")] == [
        (1, b"b"),
        (3, b"d"),
    ]
    assert values(bus.read("urls", last=1)) == [b"d"]
    assert {topic.name: topic.messages for topic in bus.topics()} == {
        "urls": 2,
        "urls.dead": 2,
        "untouched": 3,
    }


@pytest.mark.parametrize("done", range(7))
def test_lags_stay_exact_wherever_the_gaps_are(bus: EmbeddedBus, done: int) -> None:
    """Wherever the gaps are: a group is drained exactly when nothing more can come."""
    keys = ["Q1", "Q2", "Q1", "Q2", "Q2", "Q1"]
    bus.publish("urls", [(key, bytes([number])) for number, key in enumerate(keys)])
    if done:
        take_and_commit(bus, "urls", "g", done)

    bus.purge(lambda message: message.key == "Q1")

    left = [number for number, key in enumerate(keys) if key == "Q2" and number >= done]
    with bus.subscribe(["urls"], "g") as subscription:
        assert subscription.lag() == len(left)
        if done:
            assert bus.topics()[0].lag == {"g": len(left)}
        messages = take(subscription, len(left))
        subscription.commit(messages)
        assert values(messages) == [bytes([number]) for number in left]
        assert drained(subscription)


def test_a_consumer_that_is_at_work_passes_over_the_gap(bus: EmbeddedBus) -> None:
    """What was polled may be committed, what was not is not delivered, and what comes later is."""
    bus.publish("urls", [("Q1", b"0"), ("Q2", b"1"), ("Q1", b"2")])
    with bus.subscribe(["urls"], "g") as subscription:
        polled = take(subscription, 1)

        bus.purge(lambda message: message.key == "Q1")

        subscription.commit(polled)
        bus.publish("urls", [("Q1", b"3")])
        assert values(take(subscription, 2)) == [b"1", b"3"]


def test_a_compacted_topic_forgets_the_key(bus: EmbeddedBus) -> None:
    """The key may come again afterwards, and the count stays right."""
    bus.ensure([TopicSpec("clean", compacted=True)])
    bus.publish("clean", [("Q1/a", b"1"), ("Q2/b", b"2"), ("Q1/a", b"3")])

    assert bus.purge(lambda message: message.key == "Q1/a") == {"clean": 1}

    assert bus.topics()[0].messages == 1
    bus.publish("clean", [("Q1/a", b"4")])
    assert sorted(present(bus.read("clean"))) == [b"2", b"4"]
    with bus.subscribe(["clean"], "g") as subscription:
        assert subscription.lag() == 2


def test_keys_that_are_no_text_can_be_picked(bus: EmbeddedBus, folder: Path) -> None:
    """The message comes with its raw key."""
    bus.publish("urls", [("\ud800", b"odd"), (None, b"none")])

    assert bus.purge(lambda message: message.raw_key is not None) == {"urls": 1}
    assert values(bus.read("urls")) == [b"none"]


def test_no_byte_is_left_in_the_files(bus: EmbeddedBus, folder: Path) -> None:
    """Neither in free pages nor in the write-ahead log, with a second process's connection open."""
    bystander = EmbeddedBus(folder)
    bus.ensure([TopicSpec("clean", compacted=True)])
    for number in range(300):
        key = f"Q{number % 10}"
        bus.publish("urls", [(key, f"secret of {key} {number} ".encode() * 30)])
        bus.publish("clean", [(f"{key}/x", f"picture of {key} {number} ".encode() * 30)])
    assert b"secret of Q7" in written(folder)

    bus.purge(lambda message: (message.key or "").startswith("Q7"))

    left = written(folder)
    assert b"secret of Q7" not in left
    assert b"picture of Q7" not in left
    assert b"secret of Q6" in left
    assert sum(1 for _ in bystander.read("urls")) == 270
    bystander.close()


def test_what_compaction_replaced_is_wiped_although_nothing_is_picked(
    bus: EmbeddedBus, folder: Path
) -> None:
    """A withdrawal on a compacted topic frees the space of the old value; a purge clears it."""
    bus.ensure([TopicSpec("clean", compacted=True)])
    bus.publish("clean", [("Q7/x", b"picture of Q7" * 20)])
    bus.publish("clean", [("Q7/x", None)])

    assert bus.purge(lambda message: False) == {}

    assert b"picture of Q7" not in written(folder)
    assert [message.key for message in bus.read("clean")] == ["Q7/x"]


def test_a_log_of_the_first_version_is_upgraded(folder: Path) -> None:
    """A file without the table of gaps gets one when it is opened."""
    bus = EmbeddedBus(folder)
    bus.publish("urls", [("Q1", b"a"), ("Q2", b"b")])
    bus.close()
    with sqlite3.connect(folder / "log.sqlite3") as connection:
        connection.execute("DROP TABLE purged")
        connection.execute("PRAGMA user_version = 1")

    bus = EmbeddedBus(folder)

    assert bus.purge(lambda message: message.key == "Q1") == {"urls": 1}
    assert bus.topics()[0].messages == 1
    bus.close()


def test_a_reader_that_never_ends_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Its old state keeps the bytes in the write-ahead log.

    An error, and a second purge finishes the work.
    """
    monkeypatch.setattr("celebcollect.disk.sqlite.BUSY_S", 0.2)  # read when the file is opened
    bus = EmbeddedBus(folder)
    bus.publish("urls", [("Q1", b"secret")])
    reader = sqlite3.connect(folder / "log.sqlite3", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM messages").fetchone()

    with pytest.raises(BusError, match="in use"):
        bus.purge(_all)

    reader.close()
    assert bus.purge(_all) == {}
    assert b"secret" not in written(folder)
    bus.close()


def _all(message: Message) -> bool:
    return True
