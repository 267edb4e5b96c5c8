"""Publish to Kafka by one idempotent producer for each process.

Every delivery report is checked before `send` returns.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from celebcollect.bus.base import decode_key
from celebcollect.bus.kafka.errors import ALL_BROKERS_DOWN, REFUSALS
from celebcollect.bus.kafka.health import ClusterHealth
from celebcollect.bus.kafka.settings import KafkaSettings
from celebcollect.domain.errors import MessageTooLarge

log = logging.getLogger(__name__)

Row = tuple[bytes | None, bytes | None]
"""Key and value."""

_FRAME_BYTES = 100
"""What Kafka adds to a message that is alone in its batch: 61 bytes of batch header, up to 30 of
lengths and deltas."""

_QUIET_S = 5.0
"""Without any delivery for so long, the cluster counts as gone: an election takes less."""


class KafkaProducer:
    """The process's producer. Thread-safe."""

    def __init__(self, settings: KafkaSettings, health: ClusterHealth) -> None:
        self._config = settings.config
        self._health = health
        self._last_error: KafkaError | None = None
        self._producer = settings.make(Producer, settings.producer(self._note))

    def connect(self) -> None:
        """
        Wait for the cluster's first answer, `timeout_s` at most.

        Raises:
            BusError: There was none, or the cluster refuses us (at once).
            Interrupted: The program was asked to stop meanwhile.
        """
        # Not stamina: librdkafka itself tries again, here its answer is waited for, until `stop`.
        deadline = time.monotonic() + self._config.timeout_s
        while True:
            try:
                self._producer.list_topics(timeout=max(0.1, min(1.0, deadline - time.monotonic())))
                return
            except KafkaException as trouble:
                self._producer.poll(0)
                error = self._last_error or trouble.args[0]
                if error.code() in REFUSALS or time.monotonic() >= deadline:
                    raise self._health.error(error, "no connection") from None
                self._health.check_stop()
            time.sleep(0.05)

    def send(self, topic: str, rows: Sequence[Row], limit: int) -> None:
        """
        Publish messages and wait until all in-sync replicas have them.

        A cluster that is gone is waited for.

        Raises:
            MessageTooLarge: Some are over the topic's `limit` in bytes; all the others are durable.
            BusError: The cluster refuses; some messages may be durable.
            Interrupted: The program was asked to stop while the cluster was gone.
        """
        too_large = [row for row in rows if _size(row) > limit]
        for chunk in _chunks((row for row in rows if _size(row) <= limit), limit):
            for error, row in self._deliver(topic, chunk):
                if error.code() != KafkaError.MSG_SIZE_TOO_LARGE:
                    raise self._health.error(error, f"publishing to {topic}")
                # The broker measures a whole batch. Alone, a message is refused for its own size
                # only.
                for alone, refused in self._deliver(topic, [row]):
                    if alone.code() != KafkaError.MSG_SIZE_TOO_LARGE:
                        raise self._health.error(alone, f"publishing to {topic}")
                    too_large.append(refused)
        if too_large:
            size = max(map(_size, too_large)) - _FRAME_BYTES
            raise MessageTooLarge(
                f"{len(too_large)} of {len(rows)} messages are too large for topic {topic}:"
                f" {size} bytes, the limit is {limit}",
                hint="Raise the topic's max.message.bytes in Kafka.",
                items=tuple((decode_key(key)[0], value) for key, value in too_large),
            )

    def close(self) -> None:
        """Forget what is still queued (nobody was told that it is durable) and disconnect."""
        self._producer.purge()
        self._producer.flush(1)
        del self._producer  # its threads end here, not with the interpreter

    def _deliver(self, topic: str, rows: Sequence[Row]) -> list[tuple[KafkaError, Row]]:
        # list.append is atomic: the reports of our messages may arrive in another thread that
        # publishes at the same time.
        done: list[None] = []
        failed: list[tuple[KafkaError, Row]] = []

        def report(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                failed.append((error, (message.key(), message.value())))
            done.append(None)

        who = f"publishing to {topic}"
        for key, value in rows:
            while True:
                try:
                    self._producer.produce(topic, value=value, key=key, on_delivery=report)
                    break
                except BufferError:  # librdkafka's queue is full; serving reports makes room
                    self._wait_for(done, len(done) + 1, who)
                except KafkaException as trouble:
                    failed.append((trouble.args[0], (key, value)))
                    done.append(None)
                    break
        self._wait_for(done, len(rows), who)
        return failed

    def _wait_for(self, done: Sequence[None], count: int, who: str) -> None:
        quiet_since = time.monotonic()
        while (seen := len(done)) < count:
            # unlike poll, it sends at once what linger.ms would hold back
            self._producer.flush(0.1)
            if len(done) > seen:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > min(_QUIET_S, self._config.timeout_s):
                self._health.gone(
                    who, self._last_error.str() if self._last_error else "no acknowledgement"
                )
        self._health.back(who)

    def _note(self, error: KafkaError) -> None:
        log.debug("producer error=%s", error)
        # Every broker's failure is summed up by a last "all brokers are down", which says less.
        if error.code() != ALL_BROKERS_DOWN or self._last_error is None:
            self._last_error = error


def _size(row: Row) -> int:
    return len(row[0] or b"") + len(row[1] or b"") + _FRAME_BYTES


def _chunks(rows: Iterable[Row], limit: int) -> Iterator[list[Row]]:
    """Cut rows so that each piece fits into one batch of Kafka's, which its limit is about."""
    chunk: list[Row] = []
    size = 0
    for row in rows:
        if chunk and size + _size(row) > limit:
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += _size(row)
    if chunk:
        yield chunk
