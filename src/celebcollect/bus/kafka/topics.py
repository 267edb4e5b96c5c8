"""Topics of a Kafka cluster: make them, compare them with the configuration."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicMetadata,
)

from celebcollect.bus.base import DEAD, TopicSpec
from celebcollect.bus.kafka.admin import Admin
from celebcollect.bus.kafka.offsets import Offsets
from celebcollect.bus.kafka.settings import KafkaSettings

log = logging.getLogger(__name__)

DEFAULT_LIMIT = 1_048_588
"""Kafka's default of max.message.bytes, where we may not ask for it."""

_LETTERS = 3
"""How much more a dead topic takes than its topic: `dead.encode` needs at most 8/3."""


@dataclass(frozen=True, slots=True)
class TopicRules:
    """What a topic asks of its messages."""

    max_bytes: int
    """Of a message with its key and frame."""
    compacted: bool
    """Every message needs a key."""


class KafkaTopics:
    """The cluster's topics. Thread-safe; every method may raise KafkaException."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._config = settings.config
        self.admin = Admin(settings)
        self.offsets = Offsets(self.admin)

    def close(self) -> None:
        """Disconnect; nothing may be asked any more."""
        self.admin.close()

    def create(self, specs: Sequence[TopicSpec]) -> None:
        """
        Create topics as configured and wait until every partition has a leader.

        Another process may do the same at once.
        """
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
        there = self._make(new)
        deadline = time.monotonic() + self.admin.timeout_s
        while not all(map(_led, map((metadata := self.admin.metadata()).get, wanted))):
            if time.monotonic() > deadline:
                # There, and yet not shown: the cluster hides topics that a user may not describe.
                hidden = there - metadata.keys()
                code = (
                    KafkaError.TOPIC_AUTHORIZATION_FAILED
                    if hidden
                    else KafkaError.LEADER_NOT_AVAILABLE
                )
                raise KafkaException(KafkaError(code))
            time.sleep(0.05)

    def compare(self, specs: Iterable[TopicSpec], existing: Mapping[str, TopicMetadata]) -> None:
        """
        Warn of topics that are not as configured.

        We change nothing that somebody else may have chosen.
        """
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
        """
        Return each topic's settings.

        Empty for one that is missing, or where the cluster does not let us see them.
        """
        if not names:
            return {}
        resources = {ConfigResource(ResourceType.TOPIC, name): name for name in names}
        found: dict[str, dict[str, str]] = {}
        for resource, future in self.admin.client.describe_configs(
            list(resources), request_timeout=self.admin.timeout_s
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

    def rules(self, name: str) -> TopicRules:
        """Return what a topic asks of its messages."""
        options = self.options([name])[name]
        return TopicRules(
            max_bytes=int(options.get("max.message.bytes") or DEFAULT_LIMIT),
            compacted="compact" in options.get("cleanup.policy", ""),
        )

    def _make(self, new: Sequence[NewTopic]) -> set[str]:
        """Create topics; return the names of those that another process made first."""
        there: set[str] = set()
        asked = self.admin.client.create_topics(list(new), request_timeout=self.admin.timeout_s)
        for name, future in asked.items():
            try:
                future.result()
            except KafkaException as trouble:
                if trouble.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
                there.add(name)
            else:
                log.info(
                    "topic created topic=%s partitions=%d replication_factor=%d",
                    name,
                    self._config.partitions,
                    self._config.replication_factor,
                )
        return there

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


def _led(topic: TopicMetadata | None) -> bool:
    return (
        topic is not None
        and bool(topic.partitions)
        and all(partition.leader >= 0 for partition in topic.partitions.values())
    )
