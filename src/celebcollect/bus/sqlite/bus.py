"""A durable message log in one SQLite file, shared by the processes and threads of one machine.

It assigns no partitions, so a consumer group has one live consumer at a time. A topic keeps
everything; a compacted one keeps the newest message of each key.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Literal

from celebcollect.bus.base import Item, Message, TopicInfo, TopicSpec, check_topic, encode_key
from celebcollect.bus.sqlite import purge as purging
from celebcollect.bus.sqlite import reader
from celebcollect.bus.sqlite.consumer import EmbeddedSubscription
from celebcollect.bus.sqlite.producer import append
from celebcollect.bus.sqlite.schema import open_log
from celebcollect.bus.sqlite.topics import EmbeddedTopics
from celebcollect.domain.errors import BusError, UsageError

log = logging.getLogger(__name__)


class EmbeddedBus:
    """
    The log in `folder`. Open it in the process that uses it, not before a fork.

    Raises:
        BusError: The folder cannot be written, the file is damaged, is another program's, or was
            written by a newer program.
    """

    kind: Literal["embedded", "kafka"] = "embedded"

    def __init__(self, folder: Path) -> None:
        self._file = open_log(folder)
        self._topics = EmbeddedTopics(self._file)
        self._subscriptions: list[EmbeddedSubscription] = []

    def ensure(self, topics: Iterable[TopicSpec]) -> None:
        """Create the topics that are missing; warn of existing ones that differ."""
        for spec in topics:
            found = self._topics.get(spec.name, compacted=spec.compacted)
            if found.compacted != spec.compacted:
                log.warning(
                    "topic differs topic=%s compacted=%s expected=%s",
                    spec.name,
                    found.compacted,
                    spec.compacted,
                )

    def publish(self, topic: str, items: Iterable[Item]) -> None:
        """
        Append messages, all or none; return when they are on the disk. Creates a missing topic.

        Raises:
            BusError: Nothing was published: the disk, the file, or a message without a key for a
                compacted topic.
        """
        rows = [(encode_key(key), value) for key, value in items]
        if not rows:
            return
        found = self._topics.get(topic)
        if found.compacted and any(key is None for key, _ in rows):
            raise BusError(
                f"a message without a key cannot go to the compacted topic {topic}",
                hint="Give every message a key.",
            )
        with self._file.transaction() as connection:
            append(connection, found, rows)

    def subscribe(self, topics: Iterable[str], group: str) -> EmbeddedSubscription:
        """
        Become the one consumer of a group; a new group starts at the beginning of each topic.

        Creates missing topics.

        Raises:
            Busy: Another process (or another subscription of this one) consumes for the group.
            BusError: The log cannot be used.
        """
        found = {topic: self._topics.get(topic) for topic in topics}
        subscription = EmbeddedSubscription(self._file, group, found)
        self._subscriptions.append(subscription)
        return subscription

    def topics(self, names: Collection[str] | None = None) -> list[TopicInfo]:
        """Return topics by name, with the lag of every group that ever committed on them."""
        return self._topics.infos(names)

    def read(self, topic: str, *, last: int | None = None) -> Iterator[Message]:
        """
        Read what is on a topic now, all or only its newest `last` messages, oldest first.

        Raises:
            UsageError: There is no such topic.
        """
        check_topic(topic)
        bounds = reader.bounds(self._file, topic, last)
        if bounds is None:
            raise UsageError(
                f"there is no topic {topic}", hint="`celebcollect topics list` shows them."
            )
        return reader.read(self._file, topic, *bounds)

    def purge(self, about: Callable[[Message], bool]) -> dict[str, int]:
        """Remove the messages that `about` picks, for good; see `base.Purging`."""
        return purging.purge(self._file, about)

    def close(self) -> None:
        """Close the file and every subscription that is still open."""
        for subscription in self._subscriptions:
            subscription.close()
        self._file.close()
