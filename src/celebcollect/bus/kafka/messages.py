"""Messages of confluent_kafka as ours."""

from __future__ import annotations

from confluent_kafka import Message as KafkaMessage

from celebcollect.bus.base import Message, decode_key
from celebcollect.domain.errors import BusError


def to_message(message: KafkaMessage) -> Message:
    """Return confluent_kafka's message as ours."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if topic is None or partition is None or offset is None:
        raise BusError(
            "Kafka delivered a message without coordinates",
            hint="That is a fault of the broker or of librdkafka: upgrade both.",
        )
    key, raw_key = decode_key(message.key())
    return Message(topic, partition, offset, key, message.value(), message.timestamp()[1], raw_key)
