"""Trailers of pictures that tell at their end how long they are.

Each function returns where its kind begins in bytes that end with it, given their place in the
file, and None where it is none.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable

Footer = Callable[[bytes, int], int | None]
"""Returns where a piece begins that ends with these bytes, given their place in the file."""

_MAX_LIST_BYTES = 65_536


def samsung(left: bytes, _: int) -> int | None:
    """SEFH, version, count, entries of 12 bytes; its length; SEFT. Offsets count back from SEFH."""
    if not left.endswith(b"SEFT") or len(left) < 20:
        return None
    head = len(left) - 8 - int.from_bytes(left[-8:-4], "little")
    if head < 0 or left[head : head + 4] != b"SEFH":
        return None
    count = int.from_bytes(left[head + 8 : head + 12], "little")
    entries = left[head + 12 : min(head + 12 + 12 * count, len(left) - 8)]
    if not entries or len(entries) != 12 * count:
        return None
    furthest = 0
    for _type, back, size in struct.iter_unpack("<III", entries):
        if not 8 <= size <= back <= head:
            return None
        furthest = max(furthest, back)
    return head - furthest


def _oneplus(left: bytes, _: int) -> int | None:
    """Blobs, a JSON list of name, offset back from its start and length, `jxrs`, its length."""
    if left[-8:-4] != b"jxrs":
        return None
    length = int.from_bytes(left[-4:], "little")
    begin = len(left) - length
    if begin < 0 or length > _MAX_LIST_BYTES:
        return None
    try:
        blobs = json.loads(left[begin:-8].rstrip(b"\0"))
        offsets = [blob["offset"] for blob in blobs]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not offsets or not all(type(offset) is int for offset in offsets):
        return None  # JSON also has fractions, infinities and truth
    back: int = max(offsets)
    return begin - back


def _photo_mechanic(left: bytes, _: int) -> int | None:
    if not left.endswith(b"cbipcbbl"):
        return None
    return len(left) - 12 - int.from_bytes(left[-12:-8], "big")


def _foto_station(left: bytes, _: int) -> int | None:
    if not left.endswith(b"\xa1\xb2\xc3\xd4"):
        return None
    size = int.from_bytes(left[-8:-4], "big")
    return len(left) - size if size >= 10 else None


def _afcp(left: bytes, at: int) -> int | None:
    """Begins and ends with the same mark; the end tells where in the file the beginning is."""
    mark = left[-12:-8]
    if mark not in (b"AXS!", b"AXS*"):
        return None
    start = int.from_bytes(left[-8:-4], "big" if mark == b"AXS!" else "little") - at
    return start if start >= 0 and left[start : start + 3] == b"AXS" else None


CANON = b"CANON OPTIONAL DATA\0"


def _canon(left: bytes, _: int) -> int | None:
    """28 bytes of head, the data, 64 bytes that tell their length."""
    if left[-64:-44] != CANON:
        return None
    start = len(left) - 92 - int.from_bytes(left[-44:-40], "big")
    return start if start >= 0 and left.startswith(CANON, start) else None


_MIE_END = re.compile(
    rb"~\0\x04\0zmie~\0\0(?:\x06(.{4})([\x10\x18])\x04|\x0a(.{8})([\x10\x18])\x08)\Z", re.S
)


def _mie(left: bytes, _: int) -> int | None:
    found = _MIE_END.search(left[-32:])
    if not found:
        return None
    length, order = (found[1], found[2]) if found[1] else (found[3], found[4])
    start = len(left) - int.from_bytes(length, "big" if order == b"\x10" else "little")
    return start if start >= 0 and left[start + 4 : start + 8] == b"0MIE" else None


def _insta360(left: bytes, _: int) -> int | None:
    if not left.endswith(b"8db42d694ccc418790edff439fe026bf") or len(left) < 72:
        return None
    size = int.from_bytes(left[-40:-36], "little")
    return len(left) - size if size >= 72 else None


FOOTER = re.compile(
    rb"(?:SEFT|jxrs.{4}|cbipcbbl|\xa1\xb2\xc3\xd4|AXS[!*].{8}|CANON OPTIONAL DATA\0.{44}"
    rb"|[\x10\x18][\x04\x08]|8db42d694ccc418790edff439fe026bf)\Z",
    re.DOTALL,
)
"""How the pieces end that tell their own length; looked at before anything is copied."""

FOOTERS: tuple[Footer, ...] = (
    samsung,
    _oneplus,
    _photo_mechanic,
    _foto_station,
    _afcp,
    _canon,
    _mie,
    _insta360,
)
