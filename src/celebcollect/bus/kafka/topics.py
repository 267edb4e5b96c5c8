"""Topics of a Kafka cluster: make them, compare them with the configuration, measure them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,
    ListConsumerGroupsResult,
    NewTopic,
    OffsetSpec,
    ResourceType,
    TopicMetadata,
)

from celebcollect.bus.base import DEAD, TopicInfo, TopicSpec
from celebcollect.bus.kafka.settings import Settings

log = logging.getLogger(__name__)

Place = tuple[str, int]
"""Topic and partition."""

ANSWER_S = 5.0
"""How long to wait for one answer; a question that was asked while the cluster was away is better
asked anew."""

DEFAULT_LIMIT = 1_048_588
"""Kafka's default of max.message.bytes, where we may not ask for it."""

_LETTERS = 3
"""How much more a dead topic takes than its topic: `dead.encode` needs at most 8/3."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a topic asks of its messages."""

    max_bytes: int
    """Of a message with its key and frame."""
    compacted: bool
    """Every message needs a key."""


class Topics:
    """The cluster's topics, through one admin client. Thread-safe; every method may raise KafkaException."""

    def __init__(self, settings: Settings) -> None:
        self._config = settings.config
        self._timeout_s = min(settings.config.timeout_s, ANSWER_S)
        self._admin = settings.make(AdminClient, settings.admin())

    def close(self) -> None:
        """Disconnect; nothing may be asked any more."""
        # It has no close of its own. Left to the end of the process, its thread meets an
        # interpreter that is gone (SIGSEGV, seen in 1 of 8 runs).
        del self._admin

    def metadata(self) -> dict[str, TopicMetadata]:
        """Return all topics by name, without Kafka's internal ones."""
        topics = self._admin.list_topics(timeout=self._timeout_s).topics
        return {name: topic for name, topic in topics.items() if not name.startswith("__")}

    def create(self, specs: Sequence[TopicSpec]) -> None:
        """Create topics as configured and wait until every partition has a leader; another process may do the same at once."""
        wanted = {spec.name: spec for spec in specs}
        if not wanted:
            return
        partitions, replication = self._config.partitions, self._config.replication_factor
        new = [
            NewTopic(
                name,
                num_partitions=partitions,
                replication_factor=replication,
                config=self._options(spec),
            )
            for name, spec in wanted.items()
        ]
        there: set[str] = set()
        for name, future in self._admin.create_topics(new, request_timeout=self._timeout_s).items():
            try:
                future.result()
                log.info(
                    "topic created topic=%s partitions=%d replication_factor=%d",
                    name,
                    partitions,
                    replication,
                )
            except KafkaException as trouble:
                if trouble.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
                there.add(name)
        deadline = time.monotonic() + self._timeout_s
        while not all(map(_led, map((metadata := self.metadata()).get, wanted))):
            if time.monotonic() > deadline:
                # There, and yet not shown: the cluster hides topics that a user may not describe.
                hidden = there - metadata.keys()
                raise KafkaException(
                    KafkaError(
                        KafkaError.TOPIC_AUTHORIZATION_FAILED
                        if hidden
                        else KafkaError.LEADER_NOT_AVAILABLE
                    )
                )
            time.sleep(0.05)

    def compare(self, specs: Iterable[TopicSpec], existing: Mapping[str, TopicMetadata]) -> None:
        """Warn of topics that are not as configured; we change nothing that somebody else may have chosen."""
        specs = list(specs)
        options = self.options([spec.name for spec in specs])
        for spec in specs:
            partitions = existing[spec.name].partitions
            differs = {
                "partitions": (len(partitions), self._config.partitions),
                "replication_factor": (
                    min(len(partition.replicas) for partition in partitions.values()),
                    self._config.replication_factor,
                ),
            }
            if policy := options[spec.name].get("cleanup.policy"):
                differs["compacted"] = ("compact" in policy, spec.compacted)
            for what, (found, expected) in differs.items():
                if found != expected:
                    log.warning(
                        "topic differs topic=%s %s=%s expected=%s", spec.name, what, found, expected
                    )

    def options(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return each topic's settings; empty for one that is missing, or where the cluster does not let us see them."""
        if not names:
            return {}
        resources = {ConfigResource(ResourceType.TOPIC, name): name for name in names}
        found: dict[str, dict[str, str]] = {}
        for resource, future in self._admin.describe_configs(
            list(resources), request_timeout=self._timeout_s
        ).items():
            try:
                found[resources[resource]] = {
                    name: entry.value or "" for name, entry in future.result().items()
                }
            except KafkaException as trouble:
                if trouble.args[0].code() not in (
                    KafkaError.TOPIC_AUTHORIZATION_FAILED,
                    KafkaError.UNKNOWN_TOPIC_OR_PART,
                ):
                    raise
                found[resources[resource]] = {}
        return found

    def rules(self, name: str) -> Rules:
        """Return what a topic asks of its messages."""
        options = self.options([name])[name]
        return Rules(
            max_bytes=int(options.get("max.message.bytes") or DEFAULT_LIMIT),
            compacted="compact" in options.get("cleanup.policy", ""),
        )

    def places(self, names: Iterable[str]) -> list[Place]:
        """Return every partition of the topics."""
        metadata = self.metadata()
        return [
            (name, partition)
            for name in names
            if name in metadata
            for partition in metadata[name].partitions
        ]

    def starts(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return the first offset that each partition still has."""
        return self._offsets(places, OffsetSpec.earliest())

    def ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return the offset that each partition's next message will get."""
        return self._offsets(places, OffsetSpec.latest())

    def infos(self) -> list[TopicInfo]:
        """Return all topics by name with the lag of each group that committed on them; a compacted topic may hold fewer messages."""
        metadata = self.metadata()
        places = [
            (name, partition) for name, topic in metadata.items() for partition in topic.partitions
        ]
        ends, starts = self.ends(places), self.starts(places)
        groups = {
            group: {place: offset for place, offset in committed.items() if place in ends}
            for group, committed in self.committed(self._groups()).items()
        }
        infos = []
        for name in sorted(metadata):
            mine = [(name, partition) for partition in metadata[name].partitions]
            lag = {
                group: sum(
                    behind(starts[place], ends[place], committed.get(place)) for place in mine
                )
                for group, committed in sorted(groups.items())
                if any(place in committed for place in mine)
            }
            infos.append(
                TopicInfo(
                    name=name,
                    messages=sum(ends[place] - starts[place] for place in mine),
                    lag=lag,
                    partitions=len(mine),
                )
            )
        return infos

    def _options(self, spec: TopicSpec) -> dict[str, str]:
        if spec.compacted:
            return {"cleanup.policy": "compact"}
        if spec.name.endswith(DEAD):
            return {
                "max.message.bytes": str(
                    _LETTERS * max(self.rules(spec.name.removesuffix(DEAD)).max_bytes, 100_000)
                )
            }
        return {}

    def _offsets(self, places: Iterable[Place], spec: OffsetSpec) -> dict[Place, int]:
        asked = {TopicPartition(*place): spec for place in places}
        if not asked:
            return {}
        futures = self._admin.list_offsets(asked, request_timeout=self._timeout_s)
        return {
            (partition.topic, partition.partition): future.result().offset
            for partition, future in futures.items()
        }

    def committed(self, groups: Iterable[str]) -> dict[str, dict[Place, int]]:
        """Return each group's committed offsets; a group that is not known has none."""
        asked: list[tuple[str, Future[ConsumerGroupTopicPartitions]]] = []
        # the admin client takes one group at a time; the answers are awaited together
        for group in groups:
            asked += self._admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group)], request_timeout=self._timeout_s
            ).items()
        committed: dict[str, dict[Place, int]] = {}
        for group, future in asked:
            entries = future.result().topic_partitions or []
            committed[group] = {
                (entry.topic, entry.partition): entry.offset
                for entry in entries
                if entry.offset >= 0
            }
        return committed

    def _groups(self) -> list[str]:
        future: Future[ListConsumerGroupsResult] = self._admin.list_consumer_groups(
            request_timeout=self._timeout_s
        )
        return [group.group_id for group in future.result().valid or ()]


def behind(start: int, end: int, committed: int | None) -> int:
    """Return how many messages of a partition a group has before it; what retention deleted is no lag."""
    return end - min(max(committed if committed is not None else start, start), end)


def _led(topic: TopicMetadata | None) -> bool:
    return (
        topic is not None
        and bool(topic.partitions)
        and all(partition.leader >= 0 for partition in topic.partitions.values())
    )
