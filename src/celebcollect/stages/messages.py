"""Read the messages of a topic, and publish what its limit allows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import ValidationError

from celebcollect.bus import dead
from celebcollect.bus.base import Bus, Item, Message
from celebcollect.domain.errors import MessageTooLarge
from celebcollect.domain.records import ImageCandidate
from celebcollect.domain.tally import Tally
from celebcollect.stages.reasons import MessageReason

log = logging.getLogger(__name__)

T = TypeVar("T")


def decode_candidate(message: Message) -> ImageCandidate:
    """
    Read a candidate message.

    Raises:
        ValueError: An empty message, no JSON, a missing or wrong field, another schema.
    """
    if message.value is None:
        raise ValueError("empty message")
    return ImageCandidate.model_validate_json(message.value)


def decode_all(
    messages: Sequence[Message], decode: Callable[[Message], T], tally: Tally
) -> tuple[list[T], dict[str, list[Item]]]:
    """Return what could be decoded, and dead letters of the rest by topic, each counted."""
    decoded: list[T] = []
    letters: dict[str, list[Item]] = {}
    for message in messages:
        try:
            decoded.append(decode(message))
        except ValueError as error:
            reason = explain(error)
            log.warning(
                "undecodable message topic=%s partition=%d offset=%d error=%s",
                message.topic,
                message.partition,
                message.offset,
                reason,
            )
            letter = dead.encode(message, reason)
            letters.setdefault(dead.dead_topic(message.topic), []).append(letter)
            tally.drop(MessageReason.UNDECODABLE)
    return decoded, letters


def explain(error: ValueError) -> str:
    """Return one line that names the first problem, without repeating the input."""
    if isinstance(error, ValidationError):
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        return f"{where}: {problem['msg']}" if where else str(problem["msg"])
    return str(error)


def publish_what_fits(bus: Bus, topic: str, items: Sequence[Item], tally: Tally) -> Sequence[Item]:
    """
    Publish messages; return those that are over the broker's limit.

    Each of them is a counted loss, because no repetition will make it fit.
    """
    try:
        bus.publish(topic, items)
    except MessageTooLarge as error:
        log.warning(
            "%s keys=%.200s hint=%s", error.message, [key for key, _ in error.items], error.hint
        )
        tally.drop(MessageReason.MESSAGE_TOO_LARGE, len(error.items))
        return error.items
    return ()
