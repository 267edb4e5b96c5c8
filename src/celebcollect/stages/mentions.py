"""Find the messages that are about somebody, in every disguise.

They may be without a key, broken, escaped, or inside dead letters.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Mapping

from celebcollect.bus.base import Message

_ANY_ESCAPE = b"\\u"
"""JSON may write any character so."""


class Mentions:
    """Tells which messages are about the people."""

    def __init__(self, qids: Collection[str]) -> None:
        self._qids = frozenset(qids)
        self._mention = re.compile(
            rb"(?<![0-9A-Za-z])(?:%s)(?![0-9])" % b"|".join(qid.encode() for qid in qids)
        )

    def key(self, key: str | None) -> bool:
        """Tell whether a key is the person's: the QID, alone or before a slash."""
        return key is not None and key.partition("/")[0] in self._qids

    def value(self, value: bytes | None) -> bool:
        """
        Tell whether a value is about the person.

        A JSON object is about the person whom its `qid` names, a dead letter about whom its message
        is about; anything else, JSON or not, is about everybody whom it mentions.
        """
        if value is None or not (
            self._mention.search(value) or _ANY_ESCAPE in value or b'"value_base64"' in value
        ):
            return False
        try:
            facts = json.loads(value)
        except (ValueError, RecursionError):
            return self._mention.search(value) is not None
        if isinstance(facts, dict):
            qid, inside = facts.get("qid"), facts.get("value_base64")
            if isinstance(qid, str) and re.fullmatch(r"Q[1-9][0-9]*", qid):
                return qid in self._qids
            if isinstance(inside, str):
                return self._letter(inside, facts)
        return (
            self._mention.search(
                json.dumps(facts, ensure_ascii=False).encode("utf-8", "backslashreplace")
            )
            is not None
        )

    def remove(self, message: Message, clean_topic: str) -> bool:
        """
        Tell whether to remove a message.

        Withdrawals stay, for consumers that have not seen them yet.
        """
        if message.value is None and message.topic == clean_topic:
            return False
        raw = message.raw_key is not None and self._mention.search(message.raw_key) is not None
        return raw or self.key(message.key) or self.value(message.value)

    def _letter(self, inside: str, facts: Mapping[str, object]) -> bool:
        """Look into a dead letter (`bus.dead`), whose bytes may be anything."""
        key, raw_key = facts.get("key"), facts.get("key_base64")
        if self.key(key if isinstance(key, str) else None):
            return True
        try:
            if isinstance(raw_key, str) and self._mention.search(
                base64.b64decode(raw_key, validate=True)
            ):
                return True
            return self.value(base64.b64decode(inside, validate=True))
        except ValueError:
            return self._mention.search(inside.encode("utf-8", "backslashreplace")) is not None
