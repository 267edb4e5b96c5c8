"""Take picture files apart: what lies outside the coded pixels, and where the picture ends.

Nothing is decoded. Coded pixels hold any bytes by chance, and behind the last pixel of a segment
decoders skip whatever follows: they are handed on by themselves. The walkers forgive what decoders
forgive; where they lose the thread they hand on the rest as `opaque`, to be searched and not
judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from celebcollect.pictures.cut_jpeg import MAX_SURPLUS_BYTES
from celebcollect.pictures.metadata_budget import MetadataBomb, MetadataBudget

MAX_PIECES = 100_000
"""Most blocks that a file may consist of: 32 MB of empty ones took 800 MB to take apart."""


class Pieces(list[bytes]):
    """Blocks of a file, so many and no more."""

    def append(self, piece: bytes, /) -> None:
        """Add a block. Raises `MetadataBomb` when there are too many."""
        if len(self) >= MAX_PIECES:
            raise MetadataBomb(f"more than {MAX_PIECES} blocks")
        super().append(piece)


@dataclass(slots=True)
class Parts:
    """What a file holds besides coded pixels."""

    texts: Pieces = field(default_factory=Pieces)
    """Comments and text fields: a human or a program wrote characters here."""
    opaque: Pieces = field(default_factory=Pieces)
    """Everything else that is no coded pixel: EXIF, XMP, profiles, tables, unknown blocks,
    strays."""
    coded: Pieces = field(default_factory=Pieces)
    """Coded pixels, and whatever somebody put behind the last one."""
    end: int | None = None
    """Offset after the picture's last byte; None where the format or the file does not tell."""


# The next marker in entropy-coded data: FF00 is a stuffed byte, FFD0 to FFD7 restart, FFFF fill
# (ITU-T T.81, B.1.1).
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_JPEG_BARE = frozenset((0x01, *range(0xD0, 0xD9)))  # TEM, RSTn, SOI have no length
_JPEG_COMMENT, _JPEG_END, _JPEG_SCAN = 0xFE, 0xD9, 0xDA


def jpeg(data: bytes, start: int = 0) -> Parts:
    """Walk the segments of the JPEG that starts at `start`, to its end of image."""
    parts = Parts()
    at = start + 2
    while found := _JPEG_MARKER.search(data, at):
        if found.start() > at:
            parts.opaque.append(data[at : found.start()])
        marker, at = data[found.start() + 1], found.end()
        if marker == _JPEG_END:
            parts.end = at
            return parts
        if marker in _JPEG_BARE:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2 or at + length > len(data):
            break
        (parts.texts if marker == _JPEG_COMMENT else parts.opaque).append(
            data[at + 2 : at + length]
        )
        at += length
        if marker == _JPEG_SCAN:
            following = _JPEG_MARKER.search(data, at)
            parts.coded.append(data[at : following.start() if following else len(data)])
            if not following:
                # Cut off inside the pixels: what follows them is not told from them.
                parts.texts.append(data[max(at, len(data) - 2 * MAX_SURPLUS_BYTES) :])
                return parts
            at = following.start()
    parts.opaque.append(data[at:])
    return parts


_PNG_PIXELS = (b"IDAT", b"fdAT")
_PNG_TEXT = (b"tEXt", b"zTXt", b"iTXt")


def png(data: bytes) -> Parts:
    """Walk the chunks of a PNG to IEND, unpacking texts and the colour profile."""
    parts, budget = Parts(), MetadataBudget()
    at = 8
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        at += 12 + length
        if at > len(data):
            parts.opaque.append(body)
            return parts
        if kind in _PNG_TEXT:
            parts.texts.append(_png_text(kind, body, budget))
        elif kind == b"iCCP":
            parts.opaque.append(budget.inflate(body.partition(b"\0")[2][1:]))
        else:
            (parts.coded if kind in _PNG_PIXELS else parts.opaque).append(body)
        if kind == b"IEND":
            parts.end = at
            return parts
    parts.opaque.append(data[at:])
    return parts


def _png_text(kind: bytes, body: bytes, budget: MetadataBudget) -> bytes:
    # tEXt: keyword 0 text. zTXt: keyword 0 method packed. iTXt: keyword 0 flag method language 0
    # keyword 0 text.
    keyword, _, rest = body.partition(b"\0")
    if kind == b"zTXt":
        return keyword + b"\n" + budget.inflate(rest[1:])
    if kind == b"iTXt" and rest[:1] == b"\1":
        language, _, translated = rest[2:].partition(b"\0")
        translated, _, packed = translated.partition(b"\0")
        return b"\n".join((keyword, language, translated, budget.inflate(packed)))
    return body


def gif(data: bytes) -> Parts:
    """Walk the blocks of a GIF to its trailer (GIF89a specification, 1990)."""
    parts = Parts()
    at = 13 + _gif_table(data[10:11])
    parts.opaque.append(data[13:at])
    while at < len(data):
        kind = data[at]
        if kind == 0x3B:
            parts.end = at + 1
            return parts
        if kind == 0x21:
            label, start = data[at + 1 : at + 2], at + 2
            body, at = _gif_blocks(data, start)
            (parts.texts if label == b"\xfe" else parts.opaque).append(body)
            parts.opaque.append(data[start:at])  # XMP is not cut into blocks
        elif kind == 0x2C:
            table = _gif_table(data[at + 9 : at + 10])
            parts.opaque.append(data[at + 10 : at + 10 + table])
            body, at = _gif_blocks(data, at + 11 + table)  # one byte says the code size
            parts.coded.append(body)
        else:
            break
    parts.opaque.append(data[at:])
    return parts


def _gif_table(packed: bytes) -> int:
    return 3 << ((packed[0] & 7) + 1) if packed and packed[0] & 0x80 else 0


def _gif_blocks(data: bytes, at: int) -> tuple[bytes, int]:
    body = []
    while at < len(data) and (size := data[at]):
        body.append(data[at + 1 : at + 1 + size])
        at += 1 + size
    return b"".join(body), at + 1


_WEBP_PIXELS = (b"VP8 ", b"VP8L", b"ALPH", b"ANMF")


def webp(data: bytes) -> Parts:
    """Walk the chunks of a WebP to the end that its RIFF header tells."""
    parts = Parts(end=min(8 + int.from_bytes(data[4:8], "little") + (data[4] & 1), len(data)))
    at, end = 12, parts.end or 0
    while at + 8 <= end:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        (parts.coded if kind in _WEBP_PIXELS else parts.opaque).append(
            data[at + 8 : min(at + 8 + length, end)]
        )
        at += 8 + length + (length & 1)
    return parts


_ISO_PIXELS = (b"mdat",)


def iso(data: bytes) -> Parts:
    """Walk the top boxes of an AVIF file (ISO/IEC 14496-12); it ends with its last whole box."""
    parts = Parts()
    at = 0
    for start, end, kind in iso_boxes(data):
        (parts.coded if kind in _ISO_PIXELS else parts.opaque).append(data[start:end])
        at = end
    parts.end = at
    return parts


def iso_boxes(data: bytes, start: int = 0) -> Iterator[tuple[int, int, bytes]]:
    """Yield start, end and type of the boxes from `start` on, as long as they look like boxes."""
    while start + 8 <= len(data):
        size, kind = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8]
        if size == 1:
            size = int.from_bytes(data[start + 8 : start + 16], "big")
        elif size == 0:
            size = len(data) - start
        if size < 8 or start + size > len(data) or not re.fullmatch(rb"[A-Za-z0-9 ]{4}", kind):
            return
        yield start, start + size, kind
        start += size


FORMATS: dict[str, tuple[re.Pattern[bytes], Callable[[bytes], Parts]]] = {
    "jpeg": (re.compile(rb"\xff\xd8\xff"), jpeg),
    "png": (re.compile(rb"\x89PNG\r\n\x1a\n"), png),
    "gif": (re.compile(rb"GIF8[79]a"), gif),
    "webp": (re.compile(rb"RIFF....WEBP", re.DOTALL), webp),
    "avif": (re.compile(rb"....ftyp", re.DOTALL), iso),
}
"""How a file of each format that `pictures` reads begins, and who takes it apart."""
