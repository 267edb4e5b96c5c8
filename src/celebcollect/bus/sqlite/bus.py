"""A durable message log in one SQLite file, shared by the processes and threads of one machine.

It assigns no partitions, so a consumer group has one live consumer at a time, held by a lock that
the kernel releases when its process dies. A topic keeps everything; a compacted one keeps the
newest message of each key.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, Self

from filelock import FileLock, Timeout

from celebcollect.bus.base import Item, Message, TopicInfo, TopicSpec, check_topic, encode_key
from celebcollect.bus.sqlite.logfile import (
    OFFSET_BITS,
    behind,
    connect,
    page,
    to_message,
    trouble,
    writing,
)
from celebcollect.bus.sqlite.purge import purge
from celebcollect.domain.errors import BusError, Busy, UsageError
from celebcollect.domain.records import now

log = logging.getLogger(__name__)

_READ_PAGE = 100
"""Messages per look into the file: a reader that holds a page only never keeps SQLite from
recycling its write-ahead log."""
_LOOK_S = 0.02
"""Between two looks for new messages: costs a hundredth of a core at rest, and nobody waits for
long."""


class EmbeddedBus:
    """The log in `folder`. Open it in the process that uses it, not before a fork."""

    kind: Literal["embedded", "kafka"] = "embedded"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection = connect(folder)
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, bool]] = {}
        self._subscriptions: list[EmbeddedSubscription] = []

    def ensure(self, topics: Iterable[TopicSpec]) -> None:
        """Create the topics that are missing; warn of existing ones that differ from the specification."""
        with self._lock, trouble(self._folder):
            for spec in topics:
                _, compacted = self._topic(spec.name, compacted=spec.compacted)
                if compacted != spec.compacted:
                    log.warning(
                        "topic differs topic=%s compacted=%s expected=%s",
                        spec.name,
                        compacted,
                        spec.compacted,
                    )

    def publish(self, topic: str, items: Iterable[Item]) -> None:
        """
        Append messages to a topic, all or none; return when they are on the disk. Creates a missing topic.

        Raises:
            BusError: Nothing was published: the disk, the file, or a message without a key for a
                compacted topic.
        """
        rows = [(encode_key(key), value) for key, value in items]
        if not rows:
            return
        with self._lock, trouble(self._folder):
            topic_id, compacted = self._topic(topic)
            if compacted and any(key is None for key, _ in rows):
                raise BusError(
                    f"a message without a key cannot go to the compacted topic {topic}",
                    hint="Give every message a key.",
                )
            with writing(self._connection):
                self._append(topic_id, rows, compacted=compacted)

    def subscribe(self, topics: Iterable[str], group: str) -> EmbeddedSubscription:
        """
        Become the one consumer of a group; a new group starts at the beginning of each topic. Creates missing topics.

        Raises:
            Busy: Another process (or another subscription of this one) consumes for the group.
            BusError: The log cannot be used.
        """
        with self._lock, trouble(self._folder):
            ids = {topic: self._topic(topic) for topic in topics}
        subscription = EmbeddedSubscription(self._folder, group, ids)
        self._subscriptions.append(subscription)
        return subscription

    def topics(self) -> list[TopicInfo]:
        """Return all topics by name, with the lag of every group that ever committed on them."""
        with self._lock, trouble(self._folder):
            return [
                self._info(*row)
                for row in self._connection.execute(
                    "SELECT name, id, compacted FROM topics ORDER BY name"
                ).fetchall()
            ]

    def read(self, topic: str, *, last: int | None = None) -> Iterator[Message]:
        """
        Read what is on a topic now, from its beginning or only its newest `last` messages, oldest first.

        Raises:
            UsageError: There is no such topic.
        """
        check_topic(topic)
        with self._lock, trouble(self._folder):
            row = self._connection.execute(
                "SELECT id, next_offset FROM topics WHERE name = ?", (topic,)
            ).fetchone()
            if row is None:
                raise UsageError(
                    f"there is no topic {topic}", hint="`celebcollect topics list` shows them."
                )
            first, end = row[0] << OFFSET_BITS, (row[0] << OFFSET_BITS) + row[1]
            if last is not None:
                newest = self._connection.execute(
                    "SELECT id FROM messages WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?",
                    (first, end, min(max(last, 0), row[1])),
                ).fetchall()
                first = newest[-1][0] if newest else end
        return self._pages(topic, first, end)

    def purge(self, about: Callable[[Message], bool]) -> dict[str, int]:
        """Remove the messages that `about` picks, from all topics, for good; return how many of each topic. See `base.Purging`."""
        return purge(self._folder, about)

    def close(self) -> None:
        """Close the file and every subscription that is still open."""
        for subscription in self._subscriptions:
            subscription.close()
        with self._lock:
            self._connection.close()

    def _topic(self, name: str, *, compacted: bool = False) -> tuple[int, bool]:
        if name not in self._known:
            check_topic(name)
            find = "SELECT id, compacted FROM topics WHERE name = ?"
            row = self._connection.execute(find, (name,)).fetchone()
            if row is None:
                with writing(self._connection):
                    self._connection.execute(
                        "INSERT INTO topics (name, compacted) VALUES (?, ?) ON CONFLICT DO NOTHING",
                        (name, compacted),
                    )
                row = self._connection.execute(find, (name,)).fetchone()
            self._known[name] = (row[0], bool(row[1]))
        return self._known[name]

    def _append(
        self, topic_id: int, rows: Sequence[tuple[bytes | None, bytes | None]], *, compacted: bool
    ) -> None:
        count = "UPDATE topics SET next_offset = next_offset + ? WHERE id = ? RETURNING next_offset"
        (end,) = self._connection.execute(count, (len(rows), topic_id)).fetchone()
        ids = range((topic_id << OFFSET_BITS) + end - len(rows), (topic_id << OFFSET_BITS) + end)
        timestamp_ms = time.time_ns() // 1_000_000
        self._connection.executemany(
            "INSERT INTO messages (id, key, value, timestamp_ms) VALUES (?, ?, ?, ?)",
            [
                (row_id, key, value, timestamp_ms)
                for row_id, (key, value) in zip(ids, rows, strict=True)
            ],
        )
        if compacted:
            for row_id, (key, _) in zip(ids, rows, strict=True):
                self._connection.execute(
                    "DELETE FROM messages WHERE id = (SELECT id FROM newest WHERE topic = ? AND key = ?)",
                    (topic_id, key),
                )
                self._connection.execute(
                    "REPLACE INTO newest (topic, key, id) VALUES (?, ?, ?)", (topic_id, key, row_id)
                )

    def _info(self, name: str, topic_id: int, compacted: int) -> TopicInfo:
        if compacted:
            (messages,) = self._connection.execute(
                "SELECT count(*) FROM newest WHERE topic = ?", (topic_id,)
            ).fetchone()
        else:
            messages = behind(self._connection, topic_id, 0, compacted=False)
        groups = self._connection.execute(
            "SELECT consumers, next_offset FROM committed WHERE topic = ? ORDER BY consumers",
            (topic_id,),
        ).fetchall()
        lag = {
            group: behind(self._connection, topic_id, done, compacted=bool(compacted))
            for group, done in groups
        }
        return TopicInfo(name=name, messages=messages, lag=lag)

    def _pages(self, topic: str, first: int, end: int) -> Iterator[Message]:
        while True:
            with self._lock, trouble(self._folder):
                rows = page(self._connection, first, end, _READ_PAGE)
            if not rows:
                return
            yield from (to_message(topic, row) for row in rows)
            first = rows[-1][0] + 1


class EmbeddedSubscription:
    """A group's only live consumer, with a connection of its own."""

    def __init__(self, folder: Path, group: str, topics: dict[str, tuple[int, bool]]) -> None:
        self._folder = folder
        self._group = group
        self._topics = topics
        # The name of a group is data and may be anything; its digest is a safe file name.
        name = hashlib.sha256(group.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._lock = FileLock(folder / f"group-{name}.lock", timeout=0, thread_local=False)
        with contextlib.ExitStack() as undo:
            self._connection = connect(folder)
            undo.callback(self._connection.close)
            with trouble(folder):
                self._hold()
                undo.callback(self._lock.release)
                done = dict(
                    self._connection.execute(
                        "SELECT topic, next_offset FROM committed WHERE consumers = ?", (group,)
                    ).fetchall()
                )
            self._next = {
                topic: (topic_id << OFFSET_BITS) + done.get(topic_id, 0)
                for topic, (topic_id, _) in topics.items()
            }
            undo.pop_all()

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
        done: dict[str, int] = {}
        for message in messages:
            done[message.topic] = max(message.offset + 1, done.get(message.topic, 0))
        rows = [
            (self._group, self._topics[topic][0], next_offset)
            for topic, next_offset in done.items()
        ]
        with trouble(self._folder), writing(self._connection):
            self._connection.executemany(
                "INSERT INTO committed (consumers, topic, next_offset) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET next_offset = max(next_offset, excluded.next_offset)",
                rows,
            )

    def lag(self) -> int:
        """Return exactly how many messages the group has not committed yet."""
        with trouble(self._folder):
            done = dict(
                self._connection.execute(
                    "SELECT topic, next_offset FROM committed WHERE consumers = ?", (self._group,)
                ).fetchall()
            )
            return sum(
                behind(self._connection, topic_id, done.get(topic_id, 0), compacted=compacted)
                for topic_id, compacted in self._topics.values()
            )

    def close(self) -> None:
        """Free the group; what was not committed will be delivered again."""
        self._connection.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hold(self) -> None:
        find = "SELECT pid, host, since FROM holders WHERE consumers = ?"
        try:
            self._lock.acquire()
        except Timeout:
            pid, host, since = self._connection.execute(find, (self._group,)).fetchone() or (
                "unknown",
                "this machine",
                "just now",
            )
            raise Busy(
                f"consumer group {self._group} is in use by process {pid} on {host} since {since}",
                hint="Wait until it ends, or end it. Several workers at a time need Kafka ([kafka] bootstrap_servers).",
            ) from None
        with writing(self._connection):
            self._connection.execute(
                "REPLACE INTO holders VALUES (?, ?, ?, ?)",
                (self._group, os.getpid(), socket.gethostname(), now().isoformat()),
            )

    def _take(self, limit: int) -> list[Message]:
        messages: list[Message] = []
        with trouble(self._folder):
            for topic in list(self._next):
                if len(messages) >= limit:
                    break
                end = (self._topics[topic][0] + 1) << OFFSET_BITS
                rows = page(self._connection, self._next[topic], end, limit - len(messages))
                if rows:
                    messages.extend(to_message(topic, row) for row in rows)
                    # Last in the queue from now on, so that a busy topic does not starve the
                    # others.
                    del self._next[topic]
                    self._next[topic] = rows[-1][0] + 1
        return messages
