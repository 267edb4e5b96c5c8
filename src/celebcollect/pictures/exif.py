"""Read how EXIF wants a picture turned, and nothing else of it.

The rest of EXIF is written by thousands of programs, many of which are wrong about types and
offsets: nobody here looks at it. Orientation that only XMP tells is not read, as browsers do not.
"""

from __future__ import annotations

import struct

UPRIGHT = 1
"""The orientation of pixels that lie as they are to be seen."""

_PREFIX = b"Exif\0\0"
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_ORIENTATION, _SHORT = 0x0112, 3
_ENTRY_BYTES = 12


def orientation(exif: bytes) -> int:
    """
    Return the orientation that EXIF tells, 1 to 8 (CIPA DC-008, 4.6.5; TIFF 6.0, page 36).

    Whatever is odd counts as 1: another type than SHORT, another number, a directory that is not
    there.
    """
    return told_orientation(exif) or UPRIGHT


def told_orientation(exif: bytes) -> int | None:
    """Return the same, 0 where something odd is told, and None where nothing is."""
    tiff = exif.removeprefix(_PREFIX)
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return None
    (at,) = struct.unpack_from(f"{order}I", tiff, 4)
    if at + 2 > len(tiff):
        return None
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    count = min(count, (len(tiff) - at - 2) // _ENTRY_BYTES)
    entries = tiff[at + 2 : at + 2 + count * _ENTRY_BYTES]
    for tag, kind, number, value in struct.iter_unpack(f"{order}HHIHxx", entries):
        if tag == _ORIENTATION:
            return value if (kind, number) == (_SHORT, 1) and 1 <= value <= 8 else 0
    return None
