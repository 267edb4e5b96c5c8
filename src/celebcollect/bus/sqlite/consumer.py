"""Consume from the embedded log: one live consumer for each group."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Self

from celebcollect.bus.base import Message
from celebcollect.bus.sqlite.reader import page, to_message
from celebcollect.bus.sqlite.schema import OFFSET_BITS
from celebcollect.bus.sqlite.topics import EmbeddedTopic, behind, committed
from celebcollect.disk.locks import ProcessLock
from celebcollect.disk.sqlite import SqliteFile
from celebcollect.domain.errors import BusError, Busy
from celebcollect.domain.records import now

_LOOK_S = 0.02
"""Between two looks for new messages: costs a hundredth of a core at rest, and nobody waits for
long."""


class EmbeddedSubscription:
    """
    A group's only live consumer, held by a lock that the kernel frees when its process dies.

    Raises:
        Busy: Another process (or another subscription of this one) consumes for the group.
        BusError: The log cannot be used.
    """

    def __init__(self, file: SqliteFile, group: str, topics: Mapping[str, EmbeddedTopic]) -> None:
        self._file = file
        self._group = group
        self._topics = topics
        self._closed = False
        # The name of a group is data and may be anything; its digest is a safe file name.
        name = hashlib.sha256(group.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._lock = ProcessLock(file.file.with_name(f"group-{name}.lock"))
        self._hold()
        try:
            self._say_who()
            with file.connection() as connection:
                done = committed(connection, group)
        except BaseException:
            self._lock.release()
            raise
        self._next = {
            name: (topic.id << OFFSET_BITS) + done.get(topic.id, 0)
            for name, topic in topics.items()
        }

    def poll(self, limit: int, timeout_s: float) -> list[Message]:
        """Return up to `limit` new messages; an empty list after `timeout_s` without any."""
        deadline = time.monotonic() + timeout_s
        while True:
            messages = self._take(limit)
            left_s = deadline - time.monotonic()
            if messages or left_s <= 0:
                return messages
            time.sleep(min(_LOOK_S, left_s))

    def commit(self, messages: Sequence[Message]) -> None:
        """Mark messages as done; on the disk on return."""
        self._check_open()
        done: dict[str, int] = {}
        for message in messages:
            done[message.topic] = max(message.offset + 1, done.get(message.topic, 0))
        rows = [
            (self._group, self._topics[topic].id, next_offset)
            for topic, next_offset in done.items()
        ]
        query = """
            INSERT INTO committed (consumers, topic, next_offset) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET next_offset = max(next_offset, excluded.next_offset)
        """
        with self._file.transaction() as connection:
            connection.executemany(query, rows)

    def lag(self) -> int:
        """Return exactly how many messages the group has not committed yet."""
        self._check_open()
        with self._file.connection() as connection:
            done = committed(connection, self._group)
            return sum(
                behind(connection, topic, done.get(topic.id, 0)) for topic in self._topics.values()
            )

    def close(self) -> None:
        """Free the group; what was not committed will be delivered again."""
        self._closed = True
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hold(self) -> None:
        if self._lock.take():
            return
        find = "SELECT pid, host, since FROM holders WHERE consumers = ?"
        with self._file.connection() as connection:
            row = connection.execute(find, (self._group,)).fetchone()
        pid, host, since = row or ("unknown", "this machine", "just now")
        raise Busy(
            f"consumer group {self._group} is in use by process {pid} on {host} since {since}",
            hint=(
                "Wait until it ends, or end it. Several workers at a time need Kafka"
                " ([kafka] bootstrap_servers)."
            ),
        )

    def _say_who(self) -> None:
        me = (self._group, os.getpid(), socket.gethostname(), now().isoformat())
        with self._file.transaction() as connection:
            connection.execute("REPLACE INTO holders VALUES (?, ?, ?, ?)", me)

    def _take(self, limit: int) -> list[Message]:
        self._check_open()
        messages: list[Message] = []
        with self._file.connection() as connection:
            for name in list(self._next):
                if len(messages) >= limit:
                    break
                end = (self._topics[name].id + 1) << OFFSET_BITS
                rows = page(connection, self._next[name], end, limit - len(messages))
                if rows:
                    messages.extend(to_message(name, row) for row in rows)
                    # Last in the queue from now on, so that a busy topic does not starve the
                    # others.
                    del self._next[name]
                    self._next[name] = rows[-1][0] + 1
        return messages

    def _check_open(self) -> None:
        if self._closed:
            raise BusError(
                f"consumer group {self._group} was left already",
                hint="That is a fault of celebcollect: please report it.",
            )
