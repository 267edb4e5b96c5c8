"""Text in scripts of a page: strings inside strings, and JavaScript that is nearly JSON."""

from __future__ import annotations

import json
import re
from typing import Any

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_NOT_JSON = re.compile(r"\\(?:x([0-9a-fA-F]{2})|(')|(.))", re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)


def unquoted(text: str) -> str:
    """Take one level of string quoting off a text, wherever its strings begin and end."""
    plain = _ESCAPE.sub(_unescape, text)
    if any("\ud800" <= char <= "\udfff" for char in plain):
        plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return plain


def _unescape(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2]
    return chr(int(digits, 16)) if digits else _CONTROLS.get(escape[3], escape[3])


def decoded(text: str) -> Any:
    """
    Read JSON from the beginning of a text.

    It may have the escapes that JavaScript has and JSON has not: of a byte, and of an apostrophe.
    """
    try:
        return _DECODER.raw_decode(text)[0]
    except ValueError:
        return _DECODER.raw_decode(_NOT_JSON.sub(_as_json, text))[0]


def _as_json(escape: re.Match[str]) -> str:
    if escape[1]:
        return f"\\u00{escape[1]}"
    return "'" if escape[2] else escape[0]
