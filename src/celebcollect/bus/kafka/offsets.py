"""Offsets of a Kafka cluster: where partitions begin and end, and how far groups have come."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import Future

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import ListConsumerGroupsResult, OffsetSpec

from celebcollect.bus.base import TopicInfo
from celebcollect.bus.kafka.admin import Admin

OUR_GROUPS = frozenset(("validate", "store", "train", "replay-dead"))
"""The consumer groups of this program."""
MOST_GROUPS = 100
"""Each group is a question of its own. On a cluster with more of them than that, which many share,
only our own are asked, and no lag is told of others that read our topics."""

Place = tuple[str, int]
"""Topic and partition."""


class Offsets:
    """The cluster's offsets. Thread-safe; every method may raise KafkaException."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def places(self, names: Iterable[str]) -> list[Place]:
        """Return every partition of the topics."""
        metadata = self._admin.metadata()
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

    def infos(self, names: Collection[str] | None = None) -> list[TopicInfo]:
        """
        Return topics by name, all or those of `names`, with the lag of each group that committed.

        A compacted topic may hold fewer messages.
        """
        # The whole list of names: a question about one name makes it, where the cluster does that.
        metadata = {
            name: topic
            for name, topic in self._admin.metadata().items()
            if names is None or name in names
        }
        places = [
            (name, partition) for name, topic in metadata.items() for partition in topic.partitions
        ]
        ends, starts = self.ends(places), self.starts(places)
        groups = {
            group: {place: offset for place, offset in committed.items() if place in ends}
            for group, committed in self.committed(self._groups() if places else ()).items()
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

    def _offsets(self, places: Iterable[Place], spec: OffsetSpec) -> dict[Place, int]:
        asked = {TopicPartition(*place): spec for place in places}
        if not asked:
            return {}
        futures = self._admin.client.list_offsets(asked, request_timeout=self._admin.timeout_s)
        return {
            (partition.topic, partition.partition): future.result().offset
            for partition, future in futures.items()
        }

    def committed(self, groups: Iterable[str]) -> dict[str, dict[Place, int]]:
        """Return each group's committed offsets; a group that is not known has none."""
        asked: list[tuple[str, Future[ConsumerGroupTopicPartitions]]] = []
        # the admin client takes one group at a time; the answers are awaited together
        for group in groups:
            asked += self._admin.client.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group)], request_timeout=self._admin.timeout_s
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
        future: Future[ListConsumerGroupsResult] = self._admin.client.list_consumer_groups(
            request_timeout=self._admin.timeout_s
        )
        found = [group.group_id for group in future.result().valid or ()]
        if len(found) <= MOST_GROUPS:
            return found
        return [group for group in found if group in OUR_GROUPS]


def behind(start: int, end: int, committed: int | None) -> int:
    """
    Return how many messages of a partition a group has before it.

    What retention deleted is no lag.
    """
    return end - min(max(committed if committed is not None else start, start), end)
