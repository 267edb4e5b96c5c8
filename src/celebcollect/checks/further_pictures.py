"""Further pictures behind a JPEG: previews, depth and gain maps that the first one announces.

A multi-picture file has an index (CIPA DC-007), phones list the items of a container in XMP, and
old cameras note the length of a preview in EXIF. A picture that nobody announced is a second file.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

_INDEX = b"MPF\0"
_ENTRIES_TAG = 0xB002
_MAX_ENTRIES = 100
_MAX_PREVIEWS = 2
"""Announced in EXIF; cameras write a preview and a smaller one."""

_XMP_LENGTH = re.compile(rb"(?:Length|MicroVideoOffset)(?:=[\"']|>)(\d{1,10})")


class Announced:
    """What a JPEG says of pictures behind it; each word counts once."""

    def __init__(self, data: bytes, end: int, metadata: Sequence[bytes]) -> None:
        self._indexed = _index(data, end)
        self._lengths = [
            int(length)
            for text in metadata
            if text.startswith(b"http://ns.adobe.com/")
            for length in _XMP_LENGTH.findall(text)
        ]
        self._exif = [text for text in metadata if text.startswith(b"Exif\0")]
        self._previews = 0

    def starts(self, start: int) -> bool:
        """Tell whether the index has a picture that begins there, whatever its length."""
        return any(first == start for first, _ in self._indexed)

    def take(self, start: int, length: int, padding: int) -> bool:
        """Tell whether a picture there, of this length, was announced; it may not come again."""
        for entry in self._indexed:
            if entry[0] == start or length <= entry[1] <= length + padding:
                self._indexed.remove(entry)
                return True
        for told in self._lengths:
            if length <= told <= length + padding:
                self._lengths.remove(told)
                return True
        numbers = (struct.pack("<I", length), struct.pack(">I", length))
        if self._previews < _MAX_PREVIEWS and any(
            n in exif for n in numbers for exif in self._exif
        ):
            self._previews += 1
            return True
        return False


def _index(data: bytes, end: int) -> list[tuple[int, int]]:
    """Return start and length of the pictures that an MPF index names, the first one left out."""
    found = data.find(_INDEX, 0, end)
    if found < 0:
        return []
    base = found + len(_INDEX)
    order = "<" if data[base : base + 2] == b"II" else ">"
    try:
        directory = base + struct.unpack_from(f"{order}I", data, base + 4)[0]
        for number in range(min(struct.unpack_from(f"{order}H", data, directory)[0], 20)):
            tag, _, size, at = struct.unpack_from(f"{order}HHII", data, directory + 2 + 12 * number)
            if tag == _ENTRIES_TAG:
                count = min(size // 16, _MAX_ENTRIES)
                entries = [
                    struct.unpack_from(f"{order}III", data, base + at + 16 * place)
                    for place in range(count)
                ]
                return [(base + offset, length) for _, length, offset in entries if offset]
    except struct.error:
        pass
    return []
