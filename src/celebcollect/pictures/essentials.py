"""Leave out of a file what its decoder does not need for the pixels.

Cameras, editors and strangers write texts, profiles, EXIF and previews beside the pixels. Pillow
reads them on opening and refuses the picture over a wrong type or checksum in them, or unpacks
them; browsers show it. So its decoder never sees them.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from celebcollect.pictures.formats import NotAPicture
from celebcollect.pictures.metadata_budget import MetadataBomb, MetadataBudget
from celebcollect.pictures.reasons import PictureReason

MAX_BLOCKS = 100_000
"""Of a file; a PNG of 32 MB in chunks of 8 KB has 4,000."""


@dataclass(frozen=True, slots=True)
class Essentials:
    """What is left of a file."""

    data: bytes
    exif: bytes | None
    """EXIF as it stands in the file, empty where there is none; None where Pillow is to be
    asked."""


def essentials(kind: str, data: bytes) -> Essentials:
    """
    Return what the decoder of a format needs.

    What cannot be followed stays as it is, to be judged by the decoder.

    Raises:
        NotAPicture: `corrupt`, for very many blocks or metadata that are a bomb.
    """
    match kind:
        case "JPEG":
            return _jpeg(data)
        case "PNG":
            return _png(data)
        case "AVIF":
            return Essentials(_without_exif_item(data), None)
        case _:
            return Essentials(data, None)


def _jpeg(data: bytes) -> Essentials:
    """Keep the tables, the frame and all from the first scan on (ITU-T T.81, B.2)."""
    kept, exif, blocks, at = [data[:2]], b"", 0, 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        blocks += 1
        if blocks > MAX_BLOCKS:
            raise NotAPicture(PictureReason.CORRUPT, f"more than {MAX_BLOCKS} blocks")
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == _SCAN:
            return Essentials(b"".join((*kept, memoryview(data)[at:])), exif)
        if marker < _FIRST_WITH_LENGTH or marker in _WITHOUT_LENGTH:
            break
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : end]
        if marker == _EXIF_MARKER and not exif and body.startswith(b"Exif\0\0"):
            exif = body
        if not (0xE0 <= marker <= 0xEF or marker == _COMMENT) or _tells_colours(marker, body):
            kept.append(data[at:end])
        at = end
    return Essentials(data, None)


_SCAN, _COMMENT, _EXIF_MARKER = 0xDA, 0xFE, 0xE1
_FIRST_WITH_LENGTH = 0xC0
_WITHOUT_LENGTH = frozenset(range(0xD0, 0xDA))


def _tells_colours(marker: int, body: bytes) -> bool:
    """Tell whether a decoder learns from a segment what the colours mean, and it is whole."""
    return (marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14) or (
        marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12
    )


_PNG_SIGNATURE_BYTES = 8


def _png(data: bytes) -> Essentials:
    """
    Keep what is critical, and the transparency (PNG Specification, 5.4 and 11.3).

    An ancillary chunk with a wrong checksum is as good as none, as libpng has it.
    """
    kept, exif, blocks, at = [data[:_PNG_SIGNATURE_BYTES]], b"", 0, _PNG_SIGNATURE_BYTES
    budget = MetadataBudget()
    while at + 12 <= len(data):
        blocks += 1
        if blocks > MAX_BLOCKS:
            raise NotAPicture(PictureReason.CORRUPT, f"more than {MAX_BLOCKS} blocks")
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data) or not _CHUNK_NAME.fullmatch(name):
            break
        if not name[0] & 0x20:
            kept.append(data[at:end])
        elif name in (b"tRNS", b"eXIf") and _is_whole(data, at, end):
            if name == b"tRNS":
                kept.append(data[at:end])
            else:
                exif = exif or data[at + 8 : end - 4]
        elif name in _PACKED:
            _count_packed(name, data[at + 8 : end - 4], budget)
        at = end
        if name == b"IEND":
            return Essentials(b"".join(kept), exif)
    kept.append(data[at:])
    return Essentials(b"".join(kept), exif)


_CHUNK_NAME = re.compile(rb"[A-Za-z]{4}")
_PACKED = (b"iCCP", b"zTXt", b"iTXt")


def _is_whole(data: bytes, at: int, end: int) -> bool:
    return zlib.crc32(data[at + 4 : end - 4]) == int.from_bytes(data[end - 4 : end], "big")


def _count_packed(name: bytes, body: bytes, budget: MetadataBudget) -> None:
    """Refuse metadata that are a bomb, though nobody here unpacks them: others would."""
    _, _, rest = body.partition(b"\0")
    packed = rest[1:]
    if name == b"iTXt":
        if rest[:1] != b"\1":
            return
        packed = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    try:
        budget.count(packed)
    except MetadataBomb as error:
        raise NotAPicture(PictureReason.CORRUPT, f"png: metadata {error}") from error


_EXIF_ITEM = re.compile(rb"(infe(?:\x02.{3}.{4}|\x03.{3}.{6}))Exif", re.DOTALL)


def _without_exif_item(data: bytes) -> bytes:
    """
    Give the EXIF of an AVIF a type that nobody knows (ISO/IEC 14496-12, ItemInfoEntry).

    A picture in AVIF is turned by boxes of its own, and Pillow writes EXIF anew for them.
    """
    meta = data.find(b"meta", 0, 4096)
    end = data.find(b"mdat", meta) if meta >= 0 else -1
    head = data[: end if end >= 0 else len(data)]
    hidden = _EXIF_ITEM.sub(rb"\1xxxx", head)
    return data if hidden == head else hidden + data[len(head) :]
