"""
Text from outside, made safe to keep and to print on one line.

The types here clean a field of a record when it is read.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator

MAX_URL_CHARS = 8192
"""Longest URL a message may carry; servers commonly refuse request lines beyond 8 KB."""

MAX_NAME_CHARS = 300

MAX_TEXT_CHARS = 5000
"""Of a title, an author or a licence, the rest is cut off: a record must fit into a message,
whatever `clean` adds to it."""


def clean_text(text: str) -> str:
    """
    Bring text to NFC on one line, with single spaces and no control or direction characters.

    Letters of every script, emoji and their joiners (U+200C, U+200D) stay.
    """
    if not (text.isascii() and text.isprintable()):
        text = _OVERRIDES.sub("", _CONTROLS.sub(" ", unicodedata.normalize("NFC", text)))
    return " ".join(text.split())


_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Unicode's categories Cc, Zl, Zp and Cs."""
_OVERRIDES = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def usable_name(text: str) -> str:
    """Return a name as it is kept; raise ValueError when nothing of it can be printed."""
    # A person's name comes with each of their pictures. Longer texts are not kept: whatever a
    # stranger sends would fill the memory.
    return _known_name(text) if len(text) <= MAX_NAME_CHARS else _known_name.__wrapped__(text)


@lru_cache(maxsize=1024)
def _known_name(text: str) -> str:
    name = clean_text(text)[:MAX_NAME_CHARS].rstrip()
    if not name:
        raise ValueError("holds no printable character")
    return name


def _text(text: str) -> str:
    return clean_text(text)[:MAX_TEXT_CHARS].rstrip()


def _link(url: str) -> str | None:
    # Half a URL leads nowhere; the picture is no worse without it.
    return url if len(url) <= MAX_URL_CHARS else None


Name = Annotated[str, AfterValidator(usable_name)]
Text = Annotated[str, AfterValidator(_text)]
Link = Annotated[str, AfterValidator(_link)] | None
"""Beside the picture; left out when it is too long."""
