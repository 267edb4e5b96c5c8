"""Append messages to a topic of the embedded log."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

from celebcollect.bus.sqlite.schema import OFFSET_BITS
from celebcollect.bus.sqlite.topics import EmbeddedTopic


def append(
    connection: sqlite3.Connection,
    topic: EmbeddedTopic,
    rows: Sequence[tuple[bytes | None, bytes | None]],
) -> None:
    """Append rows of key and value, in a transaction of the caller."""
    count = "UPDATE topics SET next_offset = next_offset + ? WHERE id = ? RETURNING next_offset"
    (end,) = connection.execute(count, (len(rows), topic.id)).fetchone()
    base = topic.id << OFFSET_BITS
    ids = range(base + end - len(rows), base + end)
    timestamp_ms = time.time_ns() // 1_000_000
    connection.executemany(
        "INSERT INTO messages (id, key, value, timestamp_ms) VALUES (?, ?, ?, ?)",
        [
            (row_id, key, value, timestamp_ms)
            for row_id, (key, value) in zip(ids, rows, strict=True)
        ],
    )
    if topic.compacted:
        for row_id, (key, _) in zip(ids, rows, strict=True):
            _replace(connection, topic, key, row_id)


def _replace(
    connection: sqlite3.Connection, topic: EmbeddedTopic, key: bytes | None, row_id: int
) -> None:
    """Make a message the only one of its key."""
    delete = """
        DELETE FROM messages
        WHERE id = (SELECT id FROM newest WHERE topic = ? AND key = ?)
    """
    connection.execute(delete, (topic.id, key))
    connection.execute(
        "REPLACE INTO newest (topic, key, id) VALUES (?, ?, ?)", (topic.id, key, row_id)
    )
