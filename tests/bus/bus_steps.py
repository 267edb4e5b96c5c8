"""What tests of a bus do again and again."""

from __future__ import annotations

import time
from collections.abc import Iterable

from celebcollect.bus.base import Bus, Item, Message, Subscription

PATIENCE_S = 90.0
"""A consumer of Kafka first joins its group; nothing here takes nearly as long."""


def numbered(count: int, key: str | None = "Q1", start: int = 0) -> list[Item]:
    return [(key, str(number).encode()) for number in range(start, start + count)]


def take(subscription: Subscription, count: int) -> list[Message]:
    """Poll until `count` messages are there, and never more."""
    messages: list[Message] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(messages) < count:
        assert time.monotonic() < deadline, (
            f"{len(messages)} of {count} messages after {PATIENCE_S} s"
        )
        messages += subscription.poll(count - len(messages), 0.2)
    return messages


def take_and_commit(bus: Bus, topic: str, group: str, count: int) -> list[Message]:
    with bus.subscribe([topic], group) as subscription:
        messages = take(subscription, count)
        subscription.commit(messages)
    return messages


def values(messages: Iterable[Message]) -> list[bytes | None]:
    return [message.value for message in messages]


def present(messages: Iterable[Message]) -> list[bytes]:
    """Return the values of messages of which none withdraws anything."""
    found = []
    for message in messages:
        assert message.value is not None
        found.append(message.value)
    return found


def drained(subscription: Subscription) -> bool:
    """Say whether nothing more comes; the second look is for a consumer that is still joining."""
    return subscription.poll(10, 0.3) == [] and subscription.lag() == 0
