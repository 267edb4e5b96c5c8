"""Read a topic of Kafka outside any group, as it is now."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, TopicPartition

from celebcollect.bus.base import Message
from celebcollect.bus.kafka.errors import PARTITION_EOF, TIMED_OUT
from celebcollect.bus.kafka.health import ClusterHealth
from celebcollect.bus.kafka.messages import to_message
from celebcollect.bus.kafka.offsets import Place
from celebcollect.bus.kafka.settings import KafkaSettings

_PAGE = 500


def read(
    settings: KafkaSettings,
    health: ClusterHealth,
    starts: Mapping[Place, int],
    ends: Mapping[Place, int],
) -> Iterator[Message]:
    """
    Yield the messages of partitions from start to end offset; in order within a partition.

    Raises:
        BusError: The cluster refuses, or nothing came for `timeout_s`.
    """
    open_places = {place for place in ends if starts[place] < ends[place]}
    if not open_places:
        return
    with contextlib.closing(settings.make(Consumer, settings.reader())) as consumer:
        consumer.assign([TopicPartition(*place, starts[place]) for place in sorted(open_places)])
        quiet_since = time.monotonic()
        while open_places:
            for got in consumer.consume(_PAGE, 0.1):
                quiet_since = time.monotonic()
                place = (got.topic() or "", got.partition() or 0)
                error = got.error()
                if error is not None and error.code() == PARTITION_EOF:
                    open_places.discard(place)
                elif error is not None:
                    raise health.error(error, f"reading {place[0]}")
                elif place in open_places:
                    message = to_message(got)
                    if message.offset < ends[place]:
                        yield message
                    if message.offset >= ends[place] - 1:
                        open_places.discard(place)
            if time.monotonic() - quiet_since > settings.config.timeout_s:
                raise health.error(KafkaError(TIMED_OUT), "reading")


def read_newest(
    settings: KafkaSettings,
    health: ClusterHealth,
    starts: Mapping[Place, int],
    ends: Mapping[Place, int],
    last: int,
) -> list[Message]:
    """Return the newest `last` messages of all partitions, oldest first."""
    window = last
    while last > 0:
        # Compaction leaves gaps, so that the last n offsets may hold fewer than n messages: look
        # further back then.
        since = {place: max(starts[place], ends[place] - window) for place in ends}
        messages = sorted(
            read(settings, health, since, ends), key=lambda message: message.timestamp_ms
        )
        if len(messages) >= last or since == dict(starts):
            return messages[-last:]
        window *= 10
    return []
