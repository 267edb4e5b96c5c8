"""Remove single messages from the embedded log, as if they had never been published."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

from celebcollect.bus.base import Message
from celebcollect.bus.sqlite.reader import page, to_message
from celebcollect.bus.sqlite.schema import OFFSET_BITS
from celebcollect.bus.sqlite.topics import EmbeddedTopic
from celebcollect.disk.sqlite import SqliteFile

_PAGE = 500
"""Messages looked at at once; those of a page that are picked go in one transaction."""


def purge(file: SqliteFile, about: Callable[[Message], bool]) -> dict[str, int]:
    """Remove the messages that `about` picks, of all that there are; return how many by topic."""
    removed: dict[str, int] = {}
    with file.connection() as connection:
        query = "SELECT name, id, compacted FROM topics ORDER BY name"
        topics = connection.execute(query).fetchall()
    for name, topic_id, compacted in topics:
        gone = _purge_topic(file, name, EmbeddedTopic(topic_id, bool(compacted)), about)
        if gone:
            removed[name] = gone
    # Even when nothing was picked: a purge that was killed may have left what it removed in the
    # free space.
    file.wipe()
    return removed


def _purge_topic(
    file: SqliteFile, name: str, topic: EmbeddedTopic, about: Callable[[Message], bool]
) -> int:
    removed = 0
    first, end = topic.id << OFFSET_BITS, (topic.id + 1) << OFFSET_BITS
    while True:
        with file.connection() as connection:
            rows = page(connection, first, end, _PAGE)
        if not rows:
            return removed
        picked = [row[0] for row in rows if about(to_message(name, row))]
        if picked:
            with file.transaction() as connection:
                removed += _remove(connection, topic, picked)
        first = rows[-1][0] + 1


def _remove(connection: sqlite3.Connection, topic: EmbeddedTopic, ids: list[int]) -> int:
    wanted = json.dumps(ids)
    delete = """
        DELETE FROM messages
        WHERE id IN (SELECT value FROM json_each(?)) RETURNING id
    """
    gone = connection.execute(delete, (wanted,)).fetchall()
    if topic.compacted:
        forget = """
            DELETE FROM newest
            WHERE topic = ? AND id IN (SELECT value FROM json_each(?))
        """
        connection.execute(forget, (topic.id, wanted))
    else:
        connection.executemany("INSERT INTO purged VALUES (?)", gone)
    return len(gone)
