"""The admin client of a Kafka cluster."""

from __future__ import annotations

from confluent_kafka.admin import AdminClient, TopicMetadata

from celebcollect.bus.kafka.settings import KafkaSettings

ANSWER_S = 5.0
"""How long to wait for one answer; a question that was asked while the cluster was away is better
asked anew."""


class Admin:
    """Asks the cluster about itself. Thread-safe; every method may raise KafkaException."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.timeout_s = min(settings.config.timeout_s, ANSWER_S)
        self.client = settings.make(AdminClient, settings.admin())

    def metadata(self) -> dict[str, TopicMetadata]:
        """Return all topics by name, without Kafka's internal ones."""
        topics = self.client.list_topics(timeout=self.timeout_s).topics
        return {name: topic for name, topic in topics.items() if not name.startswith("__")}

    def close(self) -> None:
        """Disconnect; nothing may be asked any more."""
        # It has no close of its own. Left to the end of the process, its thread meets an
        # interpreter that is gone (SIGSEGV, seen in 1 of 8 runs).
        del self.client
