"""What cameras, phones and editors write behind the end of a picture, piece by piece.

Each kind is taken for what it says it is only as far as its own lengths reach (shapes as in
ExifTool's Trailer.pm, Samsung.pm and IdentifyTrailer, 13.x). What is taken off here is still
searched for scripts, archives and files by whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from celebcollect.checks import containers
from celebcollect.checks.trailer_footers import CANON, FOOTER, FOOTERS, Footer, samsung

PADDING = b"\0\xff \t\r\n\x1a"

MAX_UNMEASURED_BYTES = 4096
"""Of a piece that only begins or ends like a known one, and does not tell how long it is."""

_MAX_PIECES = 16
_ZEROS_OF_FOOTERS = 44

_VIDEO = re.compile(rb"[\0\xff]{0,4096}?(\0\0..ftyp)", re.DOTALL)


def left_over(behind: bytes, at: int, kind: str, metadata: Sequence[bytes]) -> bytes:
    """
    Return what is left of the bytes behind a picture when all known pieces are taken off.

    Args:
        behind: The bytes.
        at: Where they begin in the file.
        kind: Of the picture.
        metadata: What the picture says of itself, such as XMP.
    """
    if kind == "png":  # Samsung's screenshots
        return _without_end(behind, at, (samsung,)) or behind
    left = behind
    for _ in range(_MAX_PIECES if kind == "jpeg" else 0):
        taken = _video(left) or _vivo(left)
        shorter = left[taken:] if taken else _without_end(left, at, FOOTERS)
        if shorter is None:
            break
        left, at = shorter, at + taken
    bare = left.strip(PADDING)
    if bare and kind == "jpeg":
        padding = len(behind) - len(behind.rstrip(PADDING))
        if _is_unmeasured(bare) or _is_told_by_xiaomi(len(bare), padding, metadata):
            return b""
    return left


def _without_end(left: bytes, at: int, footers: Sequence[Footer]) -> bytes | None:
    """Take one piece off the end, padding behind it too; None where there is none."""
    bare = len(left.rstrip(PADDING))
    # What tells the length may end with zeros, as padding does.
    for end in {*range(bare, min(bare + _ZEROS_OF_FOOTERS, len(left)) + 1), len(left)}:
        if not FOOTER.search(left[max(end - 64, 0) : end]):
            continue
        piece = left[:end]
        for found in footers:
            start = found(piece, at)
            if start is not None and 0 <= start < end:
                return left[:start]
    return None


def _video(left: bytes) -> int:
    """Return the length of an MP4 (ISO/IEC 14496-12), as far as its boxes follow one another."""
    video = _VIDEO.match(left)
    if not video:
        return 0
    kinds, end = set(), 0
    for _, end, kind in containers.iso_boxes(left, video.start(1)):  # noqa: B007 - the last counts
        kinds.add(kind)
    return end if kinds & {b"moov", b"mdat", b"moof"} else 0


_VIVO = re.compile(rb"(?:stream(?:info|coun).{0,256}?)?vivo\{[^\0]{0,65536}\}\0*", re.DOTALL)
_VIVO_END = b"\xff\xff\xff\xff\x1b*9HWfu\x84\x93\xa2\xb1"


def _vivo(left: bytes) -> int:
    """Return the length of vivo's: highlights as a JPEG, then JSON, then a fixed end."""
    at = len(left) - len(left.lstrip(PADDING))
    if left.startswith(b"streamdata\xff\xd8\xff", at):
        end = containers.jpeg(left, at + 10).end
        if end is None:
            return 0
        at = end
    told = _VIVO.match(left, at)
    at = told.end() if told else 0
    return at + len(_VIVO_END) if at and left.startswith(_VIVO_END, at) else at


_BEGINNINGS = (
    CANON,
    b"\x7e\x10\x04\xfe0MIE",
    b"\x7e\x18\x04\xfe0MIE",
    b"vivo{",
    b"SEFH",
    b"cameraalbum",
    b"\x55\x26\x11\x05\0",  # Sony
)
_ENDINGS = (
    b"SEFT",
    b"QDIOBS",
    b"cbipcbbl",
    b"\xa1\xb2\xc3\xd4",
    b"/NIKON APP",
    b"8db42d694ccc418790edff439fe026bf",
    _VIVO_END,
)
_NEAR_END = (  # AFCP, CanonVRD, MIE, Huawei
    (b"AXS!", 12),
    (b"AXS*", 12),
    (CANON, 64),
    (b"zmie~", 24),
    (b"LIVE_", 60),
)


def _is_unmeasured(left: bytes) -> bool:
    return len(left) <= MAX_UNMEASURED_BYTES and (
        left.startswith(_BEGINNINGS)
        or left.endswith(_ENDINGS)
        or any(mark in left[-reach:] for mark, reach in _NEAR_END)
    )


_XIAOMI_BYTES = re.compile(rb"(?:offset|length)=\\?[\"'](\d{2,9})", re.IGNORECASE)


def _is_told_by_xiaomi(length: int, padding: int, metadata: Sequence[bytes]) -> bool:
    """Tell whether depth maps lie as Xiaomi's XMP says: as many bytes from the file's end."""
    for text in metadata:
        if b"MiCamera" in text or b"xiaomi" in text:
            told = {int(number) for number in _XIAOMI_BYTES.findall(text)}
            if any(length <= number <= length + padding for number in told):
                return True
    return False
