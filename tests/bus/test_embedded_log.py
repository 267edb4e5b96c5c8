"""The file of the embedded log: compaction, fairness, damage, a full disk."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.bus_steps import numbered, take, values
from celebcollect.bus.base import TopicSpec
from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.domain.errors import BusError


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedBus]:
    bus = EmbeddedBus(tmp_path)
    yield bus
    bus.close()


def test_compaction_keeps_the_newest_message_of_each_key_only(log: EmbeddedBus) -> None:
    """A newer message replaces the older one at once; a withdrawal stays as the newest."""
    log.ensure([TopicSpec("clean", compacted=True)])
    log.publish("clean", [(f"Q{number}", b"old") for number in range(100)])
    log.publish("clean", [("Q5", b"new"), ("Q6", b"new"), ("Q6", None), ("Q200", b"first")])

    messages = list(log.read("clean"))

    assert len(messages) == 101
    assert [(message.key, message.value, message.offset) for message in messages[-3:]] == [
        ("Q5", b"new", 100),
        ("Q6", None, 102),
        ("Q200", b"first", 103),
    ]
    assert log.topics()[0].messages == 101
    assert [message.key for message in log.read("clean", last=2)] == ["Q6", "Q200"]


def test_lag_is_exact_where_messages_were_replaced(log: EmbeddedBus) -> None:
    """Replaced messages are no lag, neither before nor after the group's place."""
    log.ensure([TopicSpec("clean", compacted=True)])
    log.publish("clean", [(f"Q{number}", b"old") for number in range(10)])
    lags = []
    with log.subscribe(["clean"], "train") as subscription:
        subscription.commit(take(subscription, 4))
        lags.append(subscription.lag())
        log.publish("clean", [("Q0", b"new"), ("Q9", b"new"), ("Q9", b"newer")])
        lags.append(subscription.lag())
        lags.append(log.topics()[0].lag["train"])
        subscription.commit(take(subscription, 7))
        lags.append(subscription.lag())

    assert lags == [6, 7, 7, 0]


def test_a_busy_topic_does_not_starve_a_quiet_one(log: EmbeddedBus) -> None:
    """Topics take turns: the quiet one's message is in the second batch at the latest."""
    log.publish("busy", numbered(500))
    log.publish("quiet", numbered(1))

    with log.subscribe(["busy", "quiet"], "validate") as subscription:
        topics = [{message.topic for message in subscription.poll(50, 0)} for _ in range(2)]

    assert topics == [{"busy"}, {"quiet", "busy"}]


def test_topics_of_the_same_moment_do_not_mix(log: EmbeddedBus) -> None:
    """Each topic counts its own offsets and ends where the next begins."""
    for step in range(3):
        for name in ("a", "b", "c"):
            log.publish(name, [("Q1", f"{name}{step}".encode())])

    found = {
        name: [(message.value, message.offset) for message in log.read(name)]
        for name in ("a", "b", "c")
    }

    assert found == {
        name: [(f"{name}{step}".encode(), step) for step in range(3)] for name in ("a", "b", "c")
    }


@pytest.mark.slow
def test_a_lagging_reader_does_not_see_the_write_ahead_log_grow(
    log: EmbeddedBus, tmp_path: Path
) -> None:
    """An idle iterator holds no snapshot open, so the file's companion stays bounded."""
    log.publish("urls", numbered(1000))
    reader = log.read("urls")
    next(reader)

    for _ in range(100):
        log.publish("urls", [("Q1", bytes(1000))] * 500)

    assert (tmp_path / "log.sqlite3-wal").stat().st_size < 40_000_000
    assert next(reader).value == b"1"


@pytest.mark.parametrize(
    "content",
    [b"garbage" * 1000, b"SQLite format 3\x00" + b"\xff" * 5000],
    ids=["no database", "broken header"],
)
def test_a_file_that_is_no_log_is_told(tmp_path: Path, content: bytes) -> None:
    """A damaged file is an error that says what to do, and is left as it is."""
    (tmp_path / "log.sqlite3").write_bytes(content)

    with pytest.raises(BusError, match="message log") as raised:
        EmbeddedBus(tmp_path)

    assert "damaged" in raised.value.hint
    assert (tmp_path / "log.sqlite3").read_bytes() == content


def test_damage_in_the_middle_is_told(tmp_path: Path) -> None:
    """A page that was overwritten surfaces as an error when it is read, not as missing messages."""
    log = EmbeddedBus(tmp_path)
    log.publish("urls", [("Q1", bytes(1000))] * 2000)
    log.close()
    with (tmp_path / "log.sqlite3").open("r+b") as file:
        file.seek(100 * 8192)
        file.write(b"\xee" * 8192 * 20)

    log = EmbeddedBus(tmp_path)
    with pytest.raises(BusError) as raised:
        list(log.read("urls"))
    log.close()

    assert "damaged" in raised.value.hint


def test_a_log_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    """A file in a format that this program does not know is refused before anything is written."""
    EmbeddedBus(tmp_path).close()
    with sqlite3.connect(tmp_path / "log.sqlite3") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()

    with pytest.raises(BusError, match="newer celebcollect") as raised:
        EmbeddedBus(tmp_path)

    assert "Update celebcollect" in raised.value.hint


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    """A path that cannot be a folder is an expected error."""
    (tmp_path / "file").write_text("")

    with pytest.raises(BusError, match="message log in"):
        EmbeddedBus(tmp_path / "file" / "log")


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    """A user without permission gets the error, also for a log that somebody else made."""
    log = EmbeddedBus(tmp_path / "log")
    log.publish("urls", numbered(1))
    log.close()
    for path in (tmp_path / "log").iterdir():
        path.chmod(0o444)
    (tmp_path / "log").chmod(0o555)
    for parent in list(tmp_path.parents)[:-2] if os.geteuid() == 0 else []:
        parent.chmod(parent.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    # root may write anywhere, so the child becomes nobody, after its imports: the interpreter may
    # lie in root's home.
    program = """if True:
        import os, pathlib, sys
        from celebcollect.bus.sqlite.bus import EmbeddedBus
        os.geteuid() or os.setuid(65534)
        EmbeddedBus(pathlib.Path(sys.argv[1]))
    """

    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "log")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "celebcollect.domain.errors.BusError: the message log in" in result.stderr


def test_a_full_disk_loses_nothing_that_was_promised(log: EmbeddedBus, tmp_path: Path) -> None:
    """The batch that does not fit is refused wholly; the log goes on when there is space."""
    log.publish("urls", [("Q1", b"kept")] * 10)
    with log._file.connection() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        # SQLite's own "disk full", on a disk that is not; it ends with the connection
        connection.execute(f"PRAGMA max_page_count={pages + 10}")

    with pytest.raises(BusError, match="full") as raised:
        log.publish("urls", [("Q1", bytes(1000))] * 1000)
    log.publish("urls", [("Q1", b"after")])

    assert "disk is full" in raised.value.hint
    assert values(log.read("urls")) == [b"kept"] * 10 + [b"after"]


def test_a_value_that_is_no_bytes_is_the_callers_mistake(log: EmbeddedBus) -> None:
    """A wrong type never reaches the topic."""
    with pytest.raises(BusError):
        log.publish("urls", [("Q1", object())])  # type: ignore[list-item]

    assert log.topics()[0].messages == 0
