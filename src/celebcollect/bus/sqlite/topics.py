"""The topics of the embedded log: made when first used, counted for `topics` and for lags."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from celebcollect.bus.base import TopicInfo, check_topic
from celebcollect.bus.sqlite.schema import OFFSET_BITS
from celebcollect.disk.sqlite import SqliteFile


@dataclass(frozen=True, slots=True)
class EmbeddedTopic:
    """A topic that exists; neither of these ever changes."""

    id: int
    compacted: bool


class EmbeddedTopics:
    """What the file knows of its topics; thread-safe."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._known: dict[str, EmbeddedTopic] = {}

    def get(self, name: str, *, compacted: bool = False) -> EmbeddedTopic:
        """
        Return a topic; one that is missing is made, compacted or not.

        Raises:
            UsageError: The name is no name for a topic.
        """
        if name not in self._known:
            check_topic(name)
            found = self._find(name)
            if found is None:
                make = "INSERT INTO topics (name, compacted) VALUES (?, ?) ON CONFLICT DO NOTHING"
                with self._file.transaction() as connection:
                    connection.execute(make, (name, compacted))
                found = self._find(name)
                assert found is not None  # noqa: S101 - topics are never removed
            self._known[name] = found
        return self._known[name]

    def infos(self, names: Collection[str] | None = None) -> list[TopicInfo]:
        """Return topics by name, with the lag of every group that ever committed on them."""
        with self._file.transaction(write=False) as connection:
            rows = connection.execute("SELECT name, id, compacted FROM topics ORDER BY name")
            return [
                _info(connection, name, EmbeddedTopic(topic_id, bool(compacted)))
                for name, topic_id, compacted in rows.fetchall()
                if names is None or name in names
            ]

    def _find(self, name: str) -> EmbeddedTopic | None:
        query = "SELECT id, compacted FROM topics WHERE name = ?"
        with self._file.connection() as connection:
            row = connection.execute(query, (name,)).fetchone()
        return None if row is None else EmbeddedTopic(row[0], bool(row[1]))


def behind(connection: sqlite3.Connection, topic: EmbeddedTopic, done: int) -> int:
    """Count a topic's messages from offset `done` on."""
    first, end = (topic.id << OFFSET_BITS) + done, (topic.id + 1) << OFFSET_BITS
    if topic.compacted:  # offsets have gaps where messages were replaced
        query = "SELECT count(*) FROM messages WHERE id >= ? AND id < ?"
        return int(connection.execute(query, (first, end)).fetchone()[0])
    query = """
        SELECT max(next_offset - ?, 0)
          - (SELECT count(*) FROM purged WHERE purged.id >= ? AND purged.id < ?)
        FROM topics WHERE topics.id = ?
    """
    return int(connection.execute(query, (done, first, end, topic.id)).fetchone()[0])


def committed(connection: sqlite3.Connection, group: str) -> dict[int, int]:
    """Return by topic the offset that a group goes on with."""
    query = "SELECT topic, next_offset FROM committed WHERE consumers = ?"
    return dict(connection.execute(query, (group,)).fetchall())


def _info(connection: sqlite3.Connection, name: str, topic: EmbeddedTopic) -> TopicInfo:
    if topic.compacted:
        query = "SELECT count(*) FROM newest WHERE topic = ?"
        messages = int(connection.execute(query, (topic.id,)).fetchone()[0])
    else:
        messages = behind(connection, topic, 0)
    query = "SELECT consumers, next_offset FROM committed WHERE topic = ? ORDER BY consumers"
    groups = connection.execute(query, (topic.id,)).fetchall()
    lag = {group: behind(connection, topic, done) for group, done in groups}
    return TopicInfo(name=name, messages=messages, lag=lag)
