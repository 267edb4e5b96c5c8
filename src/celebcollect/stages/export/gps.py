"""
Take out of a picture file where it was taken, and nothing else.

The file keeps its size, its pixels and its orientation.

A place is told in EXIF (the GPS directory, CIPA DC-008), in XMP (`exif:GPS...`), or in the text
chunks of a PNG that carry one of the two. What makers of cameras write in formats of their own is
not understood here.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from itertools import islice

_TIFF = re.compile(rb"II\*\0|MM\0\*")
"""How EXIF begins, whatever container it lies in."""

_GPS_DIRECTORY, _LONG = 0x8825, 4
_MAX_EXIF = 1_000
"""Of a file; one for each picture in it is honest."""

_MAX_ENTRIES = 1_000
"""Of a directory; cameras write about 50."""

_ENTRY_BYTES = 12
_VALUE_BYTES = 4
"""Of an entry; what takes more lies elsewhere."""

_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 129: 1}

_XMP_PLACE = re.compile(
    rb"""(?<![\w])\w{1,40}:GPS\w{1,40}\s*"""
    rb"""(?:=\s*(?:"([^"<]{0,100})"|'([^'<]{0,100})')|>([^<]{0,100})<)"""
)
"""Values are short; without a bound, a file of nothing but beginnings would take hours."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_PROFILE = re.compile(rb"(?:XML:com\.adobe\.xmp|Raw profile type (?:exif|xmp|APP1))\0")
"""Keywords of texts that carry XMP, or EXIF in hexadecimal (ImageMagick)."""


def without_place(data: bytes) -> bytes:
    """Return the file without its place; the very same bytes when it tells none."""
    cleaned = bytearray(data)
    for found in islice(_TIFF.finditer(data), _MAX_EXIF):
        _clear_exif(cleaned, found.start())
    for found in _XMP_PLACE.finditer(data) if b":GPS" in data else ():
        start, end = found.span(found.lastindex or 0)
        cleaned[start:end] = b" " * (end - start)
    if data.startswith(_PNG_SIGNATURE):
        _clear_png(cleaned, changed=cleaned != data)
    return data if cleaned == data else bytes(cleaned)


def _clear_exif(data: bytearray, start: int) -> None:
    """Empty the GPS directory of the EXIF at `start`, and take out the entry that leads there."""
    order = "<" if data[start : start + 1] == b"I" else ">"
    directory = start + _number(data, start + 4, order)
    found = next(
        (
            entry
            for entry in _entries(data, start, directory, order)
            if entry[1:3] == (_GPS_DIRECTORY, _LONG)
        ),
        None,
    )
    if found is None:
        return
    place = start + found[4]
    entries = list(_entries(data, start, place, order))
    if not entries:
        return  # leads nowhere: no reader finds anything there either
    _take_out(data, directory, found[0], order)
    for _, _, kind, count, offset in entries:
        size = _TYPE_BYTES.get(kind, 1) * count
        if size > _VALUE_BYTES:
            _zero(data, start + offset, size)
    _zero(data, place, 2 + len(entries) * _ENTRY_BYTES)


def _entries(
    data: bytearray, start: int, at: int, order: str
) -> Iterator[tuple[int, int, int, int, int]]:
    """
    Yield offset, tag, type, count and value of a directory's entries.

    Where there is no whole directory, there are none.
    """
    if not start < at <= len(data) - 2:
        return
    count = struct.unpack_from(f"{order}H", data, at)[0]
    if count > _MAX_ENTRIES or at + 2 + count * _ENTRY_BYTES > len(data):
        return
    for place in range(at + 2, at + 2 + count * _ENTRY_BYTES, _ENTRY_BYTES):
        tag, kind, number, value = struct.unpack_from(f"{order}HHII", data, place)
        yield place, tag, kind, number, value


def _take_out(data: bytearray, directory: int, entry: int, order: str) -> None:
    """
    Close the gap of an entry.

    The entries behind it move up, and so does the offset of the next directory that follows them.
    """
    count = struct.unpack_from(f"{order}H", data, directory)[0]
    end = min(directory + 2 + count * _ENTRY_BYTES + 4, len(data))
    data[entry:end] = data[entry + _ENTRY_BYTES : end] + bytes(_ENTRY_BYTES)
    struct.pack_into(f"{order}H", data, directory, count - 1)


def _number(data: bytearray, at: int, order: str) -> int:
    return int(struct.unpack_from(f"{order}I", data, at)[0]) if at + 4 <= len(data) else 0


def _zero(data: bytearray, at: int, size: int) -> None:
    size = max(min(size, len(data) - at), 0)
    data[at : at + size] = bytes(size)


def _clear_png(data: bytearray, *, changed: bool) -> None:
    """Blank texts that carry packed EXIF or XMP, and put the checksums of changed chunks right."""
    at = len(_PNG_SIGNATURE)
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8])
        end = at + 8 + length
        if end + 4 > len(data):
            return
        profile = kind in (b"zTXt", b"iTXt", b"tEXt") and _PNG_PROFILE.match(data, at + 8, end)
        # XMP that is not packed was searched as it is
        if profile and not (kind == b"iTXt" and data[profile.end()] == 0):
            data[at + 4 : end] = b"tEXt" + b"Comment\0".ljust(length)[:length]
        if profile or (changed and kind in (b"eXIf", b"tEXt", b"iTXt")):
            data[end : end + 4] = zlib.crc32(data[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
