"""One budget for all that is unpacked of a picture's metadata."""

from __future__ import annotations

import zlib

MAX_INFLATED_BYTES = 16 * 1024 * 1024
"""Most that all packed texts and colour profiles of one picture may unpack to, together. Profiles
stay below 4 MB, and a bomb reaches a thousand times its size."""

_STEP_BYTES = 1024 * 1024


class MetadataBomb(Exception):
    """Metadata unpacks to more than `MAX_INFLATED_BYTES`, or consists of too many blocks."""


class MetadataBudget:
    """What may still be unpacked of the metadata of one picture."""

    def __init__(self, most: int = MAX_INFLATED_BYTES) -> None:
        self._most, self._left = most, most

    def inflate(self, packed: bytes) -> bytes:
        """
        Return what zlib packed, with what follows it; what is broken comes back as it is.

        Raises:
            MetadataBomb: The budget is used up.
        """
        unpacker = zlib.decompressobj()
        try:
            plain = unpacker.decompress(packed, self._left + 1)
        except zlib.error:
            return packed
        self._spend(len(plain))
        return plain + unpacker.unused_data

    def count(self, packed: bytes) -> None:
        """
        Unpack and keep nothing.

        Raises:
            MetadataBomb: The budget is used up.
        """
        unpacker = zlib.decompressobj()
        while packed and not unpacker.eof:
            try:
                plain = unpacker.decompress(packed, _STEP_BYTES)
            except zlib.error:
                return
            self._spend(len(plain))
            packed = unpacker.unconsumed_tail

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise MetadataBomb(f"unpacks to more than {self._most} bytes")
