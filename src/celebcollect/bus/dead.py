"""Dead letters: what to keep of a message that cannot be understood, so that nothing is lost."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from celebcollect.bus.base import DEAD, Item, Message, decode_key, encode_key
from celebcollect.domain.records import SCHEMA, now

_SHORT = 1000
"""Bytes of a key or value that are shown as text beside base64: enough to see what came, and JSON
may take six for one."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An undecodable message as it was, with its coordinates."""

    topic: str
    partition: int
    offset: int
    key: str | None
    value: bytes | None
    error: str


def dead_topic(topic: str) -> str:
    """Return the topic that takes the undecodable messages of `topic`."""
    return topic if topic.endswith(DEAD) else topic + DEAD


def encode(message: Message, error: str) -> Item:
    """
    Wrap a message for its dead topic.

    The letter is JSON with the raw bytes in base64, and as text too where they are short and UTF-8.
    At most 8/3 of the message plus 20 KB, whatever is in it: the dead topic must be able to take
    every message of its topic.
    """
    raw_key = encode_key(message.key) if message.raw_key is None else message.raw_key
    short = raw_key is None or len(raw_key) <= _SHORT
    letter = {
        "schema": SCHEMA,
        "topic": message.topic,
        "partition": message.partition,
        "offset": message.offset,
        "error": error[:_SHORT],
        "at": now().isoformat(),
        "key": message.key if short else None,
        "value_base64": None if message.value is None else _base64(message.value),
        "value_text": _text(message.value),
    }
    if raw_key is not None and (message.key is None or not short):
        letter["key_base64"] = _base64(raw_key)
    return message.key, json.dumps(letter, ensure_ascii=False).encode("utf-8", "backslashreplace")


def decode(value: bytes) -> DeadLetter:
    """
    Unwrap what `encode` wrote.

    A key that is not UTF-8 becomes None, as it was when the message was read.

    Raises:
        ValueError: Somebody else wrote it.
    """
    try:
        letter = json.loads(value)
        raw, raw_key = letter["value_base64"], letter.get("key_base64")
        key = (
            letter["key"]
            if raw_key is None
            else decode_key(base64.b64decode(raw_key, validate=True))[0]
        )
        if not isinstance(key, str | None):
            raise TypeError("its key is no text")
        return DeadLetter(
            topic=str(letter["topic"]),
            partition=int(letter["partition"]),
            offset=int(letter["offset"]),
            key=key,
            value=None if raw is None else base64.b64decode(raw, validate=True),
            error=str(letter["error"]),
        )
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise ValueError(f"no dead letter of ours: {error}") from error


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _text(value: bytes | None) -> str | None:
    try:
        return value.decode() if value is not None and len(value) <= _SHORT else None
    except UnicodeDecodeError:
        return None
