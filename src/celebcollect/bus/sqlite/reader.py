"""Read messages from the embedded log, a page at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from celebcollect.bus.base import Message, decode_key
from celebcollect.bus.sqlite.schema import OFFSET_BITS
from celebcollect.disk.sqlite import SqliteFile

Row = tuple[int, bytes | None, bytes | None, int]
"""Row id, key, value, time of publishing in milliseconds."""

_PAGE = 100
"""Messages per look into the file: a reader that holds a page only never keeps SQLite from
recycling its write-ahead log."""


def page(connection: sqlite3.Connection, first: int, end: int, limit: int) -> list[Row]:
    """Return up to `limit` messages by row id, from `first` until before `end`."""
    query = """
        SELECT id, key, value, timestamp_ms FROM messages
        WHERE id >= ? AND id < ? ORDER BY id LIMIT ?
    """
    return connection.execute(query, (first, end, limit)).fetchall()


def to_message(topic: str, row: Row) -> Message:
    """Return a row as the message that it is."""
    row_id, raw, value, timestamp_ms = row
    key, raw_key = decode_key(raw)
    return Message(topic, 0, row_id & ((1 << OFFSET_BITS) - 1), key, value, timestamp_ms, raw_key)


def bounds(file: SqliteFile, topic: str, last: int | None) -> tuple[int, int] | None:
    """Return the first row id of a topic (of its newest `last`) and its end; None: no topic."""
    with file.transaction(write=False) as connection:
        find = "SELECT id, next_offset FROM topics WHERE name = ?"
        row = connection.execute(find, (topic,)).fetchone()
        if row is None:
            return None
        topic_id, next_offset = row
        first, end = topic_id << OFFSET_BITS, (topic_id << OFFSET_BITS) + next_offset
        if last is not None:
            query = """
                SELECT id FROM messages
                WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?
            """
            limit = min(max(last, 0), next_offset)
            newest = connection.execute(query, (first, end, limit)).fetchall()
            first = newest[-1][0] if newest else end
    return first, end


def read(file: SqliteFile, topic: str, first: int, end: int) -> Iterator[Message]:
    """Yield the messages of a topic by row id, from `first` until before `end`."""
    while True:
        with file.connection() as connection:
            rows = page(connection, first, end, _PAGE)
        if not rows:
            return
        for row in rows:
            yield to_message(topic, row)
        first = rows[-1][0] + 1
