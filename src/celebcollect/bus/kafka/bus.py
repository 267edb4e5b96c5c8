"""The bus on Apache Kafka: puts producer, consumers and topics together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Iterator
from typing import Literal

from celebcollect.bus.base import Item, Message, TopicInfo, TopicSpec, check_topic, encode_key
from celebcollect.bus.kafka.consumer import KafkaSubscription
from celebcollect.bus.kafka.health import ClusterHealth
from celebcollect.bus.kafka.producer import KafkaProducer
from celebcollect.bus.kafka.reader import read, read_newest
from celebcollect.bus.kafka.settings import KafkaSettings
from celebcollect.bus.kafka.topics import KafkaTopics, TopicRules
from celebcollect.config.sections import KafkaConfig
from celebcollect.domain.errors import BusError, UsageError

log = logging.getLogger(__name__)


class KafkaBus:
    """
    Topics of the cluster that `[kafka]` names.

    `stop` ends the waiting for a cluster that is gone, nothing else.

    Raises:
        ConfigError: `[kafka.client]` holds a setting that librdkafka refuses, or that is ours to
            set.
        BusError: The cluster does not answer within `timeout_s`, or refuses us.
    """

    kind: Literal["embedded", "kafka"] = "kafka"

    def __init__(self, config: KafkaConfig, *, stop: threading.Event | None = None) -> None:
        self._settings = KafkaSettings(config)
        self._health = ClusterHealth(self._settings, stop or threading.Event())
        self._producer = KafkaProducer(self._settings, self._health)
        self._producer.connect()
        self._topics = KafkaTopics(self._settings)
        self._rules: dict[str, TopicRules] = {}
        self._closed = False
        self._subscriptions: list[KafkaSubscription] = []

    def ensure(self, topics: Iterable[TopicSpec]) -> None:
        """Create the topics that are missing; warn of existing ones that differ."""
        specs = list(topics)
        for spec in specs:
            check_topic(spec.name)

        def make() -> None:
            existing = self._topics.admin.metadata()
            self._topics.compare([spec for spec in specs if spec.name in existing], existing)
            self._topics.create([spec for spec in specs if spec.name not in existing])

        self._health.retry("making topics", make, give_up_s=self._settings.config.timeout_s)

    def publish(self, topic: str, items: Iterable[Item]) -> None:
        """
        Append messages to a topic; return when all in-sync replicas have them.

        Creates a missing topic. Waits, without an end, for a cluster that is gone.

        Raises:
            MessageTooLarge: Some are over the topic's limit; all the others are durable.
            BusError: The cluster refuses; some messages may be durable.
            Interrupted: The program was asked to stop while the cluster was gone.
        """
        rows = [(encode_key(key), value) for key, value in items]
        check_topic(topic)
        if rows:
            rules = self._rules_of(topic)
            if rules.compacted and any(key is None for key, _ in rows):
                raise BusError(
                    f"a message without a key cannot go to the compacted topic {topic}",
                    hint="Give every message a key.",
                )
            self._producer.send(topic, rows, rules.max_bytes)

    def subscribe(self, topics: Iterable[str], group: str) -> KafkaSubscription:
        """
        Join a consumer group; a new group starts at the beginning of each topic.

        Creates missing topics.
        """
        names = list(topics)
        self._health.retry(f"joining {group}", lambda: self._make_missing(names))
        subscription = KafkaSubscription(
            self._settings, self._health, self._topics.offsets, names, group
        )
        self._subscriptions.append(subscription)
        return subscription

    def topics(self, names: Collection[str] | None = None) -> list[TopicInfo]:
        """
        Return topics by name, with the lags of groups that committed on them.

        Where the cluster has very many groups, only our own are asked; see `offsets.MOST_GROUPS`.
        """
        return self._health.retry(
            "listing topics",
            lambda: self._topics.offsets.infos(names),
            give_up_s=self._settings.config.timeout_s,
        )

    def read(self, topic: str, *, last: int | None = None) -> Iterator[Message]:
        """
        Read what is on a topic now, all or only its newest `last` messages.

        They are in order within a partition.

        Raises:
            UsageError: There is no such topic.
        """
        check_topic(topic)
        give_up_s = self._settings.config.timeout_s
        places = self._health.retry(
            f"reading {topic}", lambda: self._topics.offsets.places([topic]), give_up_s=give_up_s
        )
        if not places:
            raise UsageError(
                f"there is no topic {topic}", hint="`celebcollect topics list` shows them."
            )
        ends = self._health.retry(
            f"reading {topic}", lambda: self._topics.offsets.ends(places), give_up_s=give_up_s
        )
        starts = self._health.retry(
            f"reading {topic}", lambda: self._topics.offsets.starts(places), give_up_s=give_up_s
        )
        if last is None:
            return read(self._settings, self._health, starts, ends)
        return iter(read_newest(self._settings, self._health, starts, ends, last))

    def close(self) -> None:
        """Leave all groups and disconnect; closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        for subscription in self._subscriptions:
            subscription.close()
        self._subscriptions.clear()
        self._producer.close()
        self._topics.close()

    def _rules_of(self, topic: str) -> TopicRules:
        if topic not in self._rules:

            def look() -> TopicRules:
                self._make_missing([topic])
                return self._topics.rules(topic)

            self._rules[topic] = self._health.retry(f"publishing to {topic}", look)
        return self._rules[topic]

    def _make_missing(self, names: list[str]) -> None:
        for name in names:
            check_topic(name)
        existing = self._topics.admin.metadata()
        self._topics.create([TopicSpec(name) for name in names if name not in existing])
