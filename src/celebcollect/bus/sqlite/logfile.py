"""The SQLite file of the embedded log: how it is opened, what is in it, and what its errors mean to a person."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from celebcollect.bus.base import Message, decode_key
from celebcollect.domain.errors import BusError

FILE = "log.sqlite3"

BUSY_S = 60.0
"""How long a writer waits for the others; a batch takes milliseconds, so only a stuck process or
disk lasts this long."""

OFFSET_BITS = 40
"""A message's row id is its topic's id, shifted, plus its offset: 2**40 messages in each of 2**23
topics."""

_SCHEMA_VERSION = 2
_PURGED = "CREATE TABLE purged (id INTEGER PRIMARY KEY) STRICT;"
"""Gaps in the offsets of topics that are not compacted, so that lags stay exact; since version
2."""
_SCHEMA = f"""
CREATE TABLE topics (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, compacted INTEGER NOT NULL, next_offset INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE messages (id INTEGER PRIMARY KEY, key BLOB, value BLOB, timestamp_ms INTEGER NOT NULL) STRICT;
CREATE TABLE newest (topic INTEGER NOT NULL, key BLOB NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (topic, key)) STRICT, WITHOUT ROWID;
CREATE TABLE committed (
    consumers TEXT NOT NULL, topic INTEGER NOT NULL, next_offset INTEGER NOT NULL, PRIMARY KEY (consumers, topic)
) STRICT, WITHOUT ROWID;
CREATE TABLE holders (consumers TEXT PRIMARY KEY, pid INTEGER NOT NULL, host TEXT NOT NULL, since TEXT NOT NULL) STRICT, WITHOUT ROWID;
{_PURGED}
"""


def connect(folder: Path) -> sqlite3.Connection:
    """
    Open the log in `folder`, making both where they are missing. Every commit on the connection survives a power cut.

    Raises:
        BusError: The folder cannot be written, the file is damaged or was written by a newer
            program.
    """
    with trouble(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # Switching to WAL and making the tables is not covered by SQLite's busy timeout when
        # several processes start at once.
        with FileLock(folder / "opening.lock", timeout=BUSY_S, poll_interval=0.01):
            connection = sqlite3.connect(
                folder / FILE, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                _prepare(connection, folder)
            except BaseException:
                connection.close()
                raise
    return connection


@contextlib.contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block in one transaction that has the write lock from its start; durable after the block."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some errors (disk full).
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def trouble(folder: Path) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into a BusError that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise BusError(f"the message log in {folder} failed: {error}", hint=_hint(error)) from error
    except OSError as error:
        raise BusError(
            f"the message log in {folder} failed: {error.strerror or error}",
            hint="Check data_dir: its disk and its permissions.",
        ) from error


Row = tuple[int, bytes | None, bytes | None, int]
"""Row id, key, value, time of publishing in milliseconds."""


def page(connection: sqlite3.Connection, first: int, end: int, limit: int) -> list[Row]:
    """Return up to `limit` messages by row id, from `first` until before `end`."""
    return connection.execute(
        "SELECT id, key, value, timestamp_ms FROM messages WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        (first, end, limit),
    ).fetchall()


def to_message(topic: str, row: Row) -> Message:
    """Return a row as the message that it is."""
    row_id, raw, value, timestamp_ms = row
    key, raw_key = decode_key(raw)
    return Message(topic, 0, row_id & ((1 << OFFSET_BITS) - 1), key, value, timestamp_ms, raw_key)


def behind(connection: sqlite3.Connection, topic_id: int, done: int, *, compacted: bool) -> int:
    """Count a topic's messages from offset `done` on."""
    if compacted:  # offsets have gaps where messages were replaced
        first, end = (topic_id << OFFSET_BITS) + done, (topic_id + 1) << OFFSET_BITS
        (count,) = connection.execute(
            "SELECT count(*) FROM messages WHERE id >= ? AND id < ?", (first, end)
        ).fetchone()
    else:
        gaps = f"SELECT count(*) FROM purged WHERE id >= (?2 << {OFFSET_BITS}) + ?1 AND id < (?2 + 1) << {OFFSET_BITS}"  # noqa: S608 - no outside text
        query = f"SELECT max(next_offset - ?1, 0) - ({gaps}) FROM topics WHERE id = ?2"  # noqa: S608
        (count,) = connection.execute(query, (done, topic_id)).fetchone()
    return int(count)


def wipe(connection: sqlite3.Connection, folder: Path) -> None:
    """
    Write the file anew without what was deleted from it, and empty the write-ahead log; takes seconds per gigabyte and as much free space.

    Raises:
        BusError: Somebody kept reading for a minute, so that the old data is still in the
            write-ahead log.
    """
    with trouble(folder):
        connection.execute("VACUUM")
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise BusError(
            f"another process keeps the message log in {folder} in use",
            hint="End it, then run the same command again.",
        )


def _prepare(connection: sqlite3.Connection, folder: Path) -> None:
    connection.execute("PRAGMA page_size=8192")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA fullfsync=ON")  # macOS: fsync alone does not reach the disk there
    # 16 MB: each page is copied into the file once per that much log
    connection.execute("PRAGMA wal_autocheckpoint=2000")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > _SCHEMA_VERSION:
        raise BusError(
            f"the message log in {folder} was written by a newer celebcollect (format {version})",
            hint="Upgrade celebcollect.",
        )
    if version == 0:
        connection.executescript(
            f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version={_SCHEMA_VERSION}; COMMIT;"
        )
    elif version == 1:
        connection.executescript(
            f"BEGIN IMMEDIATE; {_PURGED} PRAGMA user_version={_SCHEMA_VERSION}; COMMIT;"
        )


def _hint(error: sqlite3.Error) -> str:
    # The low byte is the primary code: https://www.sqlite.org/rescode.html
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return "The disk is full: free some space and run the command again, nothing that was done is lost."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return "This user may not write there: check the permissions of data_dir."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"{FILE} is damaged: restore it from a backup, or move it away to start an empty log (what waits in it is then lost)."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return (
                f"Another process has kept it locked for {BUSY_S:.0f} s: look for one that hangs."
            )
        case sqlite3.SQLITE_IOERR:
            return "The disk reports an error: check its space, quota and health."
        case _:
            return "Check data_dir: its disk and its permissions."
