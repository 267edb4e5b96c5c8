"""Consume from Kafka as a member of a group.

Commits are made by hand, and never for a partition that another member has now.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from celebcollect.bus.base import Message
from celebcollect.bus.kafka.errors import (
    ALL_BROKERS_DOWN,
    GROUP_REFUSALS,
    LATE_COMMITS,
    MAX_POLL_EXCEEDED,
)
from celebcollect.bus.kafka.health import ClusterHealth
from celebcollect.bus.kafka.messages import to_message
from celebcollect.bus.kafka.offsets import Offsets, Place, behind
from celebcollect.bus.kafka.settings import KafkaSettings
from celebcollect.domain.errors import ConfigError

log = logging.getLogger(__name__)

_SLICE_S = 0.5
"""Longest stay inside librdkafka, which Ctrl-C does not interrupt."""

_PROBE_S = 0.3
"""How long to wait for an answer when the brokers seem to be gone; a healthy one takes
milliseconds."""


class KafkaSubscription:
    """One member of a consumer group."""

    def __init__(
        self,
        settings: KafkaSettings,
        health: ClusterHealth,
        offsets: Offsets,
        names: Sequence[str],
        group: str,
    ) -> None:
        self._names = names
        self._group = group
        self._who = f"consuming for {group}"
        self._health = health
        self._offsets = offsets
        # First offset that was polled since a partition became ours; None before the first.
        self._owned: dict[Place, int | None] = {}
        self._committed: dict[Place, int] = {}
        # Commits that met a rebalance. Members keep their place in partitions that stay theirs, so
        # nobody would repeat that work.
        self._late: dict[Place, int] = {}
        self._closed = False
        self._brokers_down = False
        self._last_error = "no answer"
        self._consumer = settings.make(Consumer, settings.consumer(group, self._note))
        self._consumer.subscribe(
            list(names), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def poll(self, limit: int, timeout_s: float) -> list[Message]:
        """
        Return up to `limit` new messages; an empty list after `timeout_s` without any.

        From a cluster that is gone there are none.

        Raises:
            BusError: The cluster refuses us.
            ConfigError: It refuses `session.timeout.ms`.
            Interrupted: The program was asked to stop while the cluster was gone.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            left_s = max(0.0, deadline - time.monotonic())
            # One message with patience, then what has arrived with it: asking for all at once would
            # wait for all.
            got = self._consumer.consume(1, min(left_s, _SLICE_S))
            if got and limit > 1:
                got += self._consumer.consume(limit - 1, 0)
            messages = list(self._usable(got))
            if self._late:
                self._health.retry(self._who, lambda: self._commit(self._late))
            if messages:
                self._brokers_down = False
                self._health.back(self._who)
            elif self._brokers_down:
                self._probe()
            if messages or time.monotonic() >= deadline:
                return messages

    def commit(self, messages: Sequence[Message]) -> None:
        """
        Mark messages as done, as far as their partitions are still ours.

        The others will be repeated by their new owner.

        Raises:
            BusError: The cluster refuses us.
            Interrupted: The program was asked to stop while the cluster was gone.
        """
        done: dict[Place, int] = {}
        given_up = 0
        for message in messages:
            place = (message.topic, message.partition)
            first = self._owned.get(place)
            if first is None or message.offset < first:
                given_up += 1
            elif message.offset >= self._committed.get(place, 0):
                done[place] = max(message.offset + 1, done.get(place, 0))
        if given_up:
            log.info(
                "work given up, its partitions went to another consumer group=%s messages=%d",
                self._group,
                given_up,
            )
        if done:
            self._health.retry(self._who, lambda: self._commit(self._late | done))

    def lag(self) -> int:
        """Return how many messages the whole group has not committed yet."""
        return self._health.retry(self._who, self._lag)

    def close(self) -> None:
        """Leave the group; what was not committed will be delivered again."""
        if not self._closed:
            self._closed = True
            self._health.leave(self._who)
            self._consumer.close()
            del self._consumer  # its threads end here, not with the interpreter

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _usable(self, got: Sequence[KafkaMessage]) -> Iterator[Message]:
        for message in got:
            error = message.error()
            if error is not None:
                self._handle(error)
                continue
            converted = to_message(message)
            place = (converted.topic, converted.partition)
            if place in self._owned:
                if self._owned[place] is None:
                    self._owned[place] = converted.offset
                yield converted

    def _handle(self, error: KafkaError) -> None:
        if error.code() == KafkaError.INVALID_SESSION_TIMEOUT:
            raise ConfigError(
                f"[kafka.client] session.timeout.ms: {error.str()}",
                hint=(
                    "The broker's group.min.session.timeout.ms and group.max.session.timeout.ms say"
                    " what it takes."
                ),
            )
        if error.code() in GROUP_REFUSALS or error.fatal():
            raise self._health.error(error, self._who)
        if error.code() == MAX_POLL_EXCEEDED:
            log.warning(
                "a batch took longer than max.poll.interval.ms, the group went on without us"
                " group=%s",
                self._group,
            )
        else:
            log.debug("consumer event group=%s error=%s", self._group, error)

    def _commit(self, done: dict[Place, int]) -> None:
        offsets = [
            TopicPartition(topic, partition, offset) for (topic, partition), offset in done.items()
        ]
        try:
            answers = self._consumer.commit(offsets=offsets, asynchronous=False) or []
        except KafkaException as trouble:
            if trouble.args[0].code() in LATE_COMMITS:
                log.debug(
                    "commit met a rebalance group=%s reason=%s", self._group, trouble.args[0].str()
                )
                self._late = done
                return
            raise
        for answer in answers:
            if answer.error is not None:
                raise KafkaException(answer.error)
        self._committed |= done
        self._late = {}

    def _lag(self) -> int:
        # Asked by the admin client: the consumer's own question has to wait while its group
        # rebalances.
        places = self._offsets.places(self._names)
        done = self._offsets.committed([self._group])[self._group]
        ends = self._offsets.ends(places)
        waiting = [place for place in places if done.get(place, -1) < ends[place]]
        starts = self._offsets.starts(waiting)
        return sum(behind(starts[place], ends[place], done.get(place)) for place in waiting)

    def _probe(self) -> None:
        try:
            self._consumer.list_topics(self._names[0], timeout=_PROBE_S)
        except KafkaException:
            self._health.gone(self._who, self._last_error)
        else:
            self._brokers_down = False
            self._health.back(self._who)

    def _note(self, error: KafkaError) -> None:
        log.debug("consumer error group=%s error=%s", self._group, error)
        if error.code() == ALL_BROKERS_DOWN:
            self._brokers_down = True
        else:
            self._last_error = error.str()

    def _on_assign(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._owned |= {(entry.topic, entry.partition): None for entry in partitions}
        log.debug("assigned group=%s partitions=%d", self._group, len(partitions))

    def _on_revoke(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        for entry in partitions:
            self._owned.pop((entry.topic, entry.partition), None)
            self._committed.pop((entry.topic, entry.partition), None)
            self._late.pop((entry.topic, entry.partition), None)
        log.debug("revoked group=%s partitions=%d", self._group, len(partitions))

    def _on_lost(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        log.info(
            "out of the group for a while, uncommitted work will be repeated group=%s"
            " partitions=%d",
            self._group,
            len(partitions),
        )
        self._on_revoke(consumer, partitions)
