"""Apache Kafka as the message log; the home of confluent_kafka."""

from celebcollect.bus.kafka.bus import KafkaBus

__all__ = ["KafkaBus"]
