"""What a picture would cost to decode, by its header and blocks, and what it may cost.

Decodes nothing.
"""

from __future__ import annotations

import io

from celebcollect.pictures.formats import NotAPicture
from celebcollect.pictures.reasons import PictureReason

_BYTES_PER_PIXEL = {"AVIF": 11, "GIF": 2, "JPEG": 5, "PNG": 6, "WEBP": 16}
"""What decoding a pixel and turning it grey takes at most, by measurement on 24 megapixels with
Pillow 13.0: WebP's plugin has two canvases and two copies of the picture, a PNG of 16 bits is
widened."""

_BYTES_PER_COEFFICIENT = 2
"""A JPEG in several scans is held as a whole until the last one, one coefficient for each pixel and
colour (libjpeg's jdcoefct.c)."""

_MAX_DECODED = {"AVIF": 400_000_000, "WEBP": 400_000_000}
"""Bytes that a picture may take whatever the user's limit of pixels: 36 megapixels of AVIF, 25 of
WebP."""

_MAX_SCANS = 100
"""Of a progressive JPEG; encoders write about 10. Each one costs a pass over all pixels, whatever
its size in the file."""

_MAX_SCANNED_PIXELS = 1_000_000_000
"""Pixels times scans of a progressive JPEG."""


_MAX_READS = 100_000
"""Pieces in which a picture's file may be read; a PNG of 32 MB in chunks of 8 KB takes 12,000, a
GIF with a megabyte of XMP 35,000."""

_MAX_REPEATS = {"JPEG": (b"Exif\0\0", 64), "PNG": (b"iCCP", 64)}
"""What costs more with each one, whatever its size in the file: Pillow copies all EXIF so far for a
further piece of it, and unpacks each colour profile, up to a megabyte. Encoders write one; as many
as this do no harm, and pixels do not hold so many by chance."""


class Metered(io.BytesIO):
    """
    Bytes to be read in a limited number of pieces.

    Pillow reads each block of a file by itself and keeps an entry for most of them: a file of 32 MB
    that is all empty blocks took 10 s and 1.3 GB.
    """

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes. Raises `NotAPicture` when there were too many calls."""
        self._reads += 1
        if self._reads > _MAX_READS:
            raise NotAPicture(PictureReason.CORRUPT, f"more than {_MAX_READS} blocks")
        return super().read(size)


def check_repeats(kind: str, data: bytes) -> None:
    """Refuse a picture with very many of the blocks that cost more than their bytes."""
    if kind in _MAX_REPEATS:
        mark, most = _MAX_REPEATS[kind]
        # Of a JPEG only what precedes the pixels, where that can be told: Pillow reads no further,
        # and the rest is nearly all of it.
        scan = _first_scan(data) if kind == "JPEG" else None
        found = data.count(mark, 0, scan[0] if scan else len(data))
        if found > most:
            raise NotAPicture(PictureReason.CORRUPT, f"{kind.lower()}: {found} times {mark!r}")


def most_pixels(kind: str, wanted: int) -> int:
    """Return how many pixels a picture of this kind may have when the user allows `wanted`."""
    return (
        min(wanted, _MAX_DECODED[kind] // _BYTES_PER_PIXEL[kind])
        if kind in _MAX_DECODED
        else wanted
    )


def decoding_bytes(kind: str, pixels: int) -> int:
    """Return about what decoding takes at most; of a JPEG the pixels that its reduced size has."""
    return pixels * _BYTES_PER_PIXEL[kind]


def coefficient_bytes(pixels: int, colours: int) -> int:
    """Return what a JPEG in several scans takes while it is decoded, in whatever reduced size."""
    return pixels * colours * _BYTES_PER_COEFFICIENT


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Raise `NotAPicture` when there are no pixels, or too many."""
    if width < 1 or height < 1:
        raise NotAPicture(PictureReason.CORRUPT, f"{width}x{height} px")
    if width * height > max_pixels:
        raise NotAPicture(
            PictureReason.TOO_MANY_PIXELS, f"{width}x{height} px, at most {max_pixels} wanted"
        )


def check_webp(data: bytes, max_pixels: int) -> None:
    """
    Refuse a huge picture before Pillow's plugin allocates two canvases, which it does on opening.

    Where the size stands: WebP Container Specification.
    """
    chunk = data[12:16]
    if chunk == b"VP8X" and len(data) >= 30:
        check_pixels(
            1 + int.from_bytes(data[24:27], "little"),
            1 + int.from_bytes(data[27:30], "little"),
            max_pixels,
        )
    elif chunk == b"VP8 " and len(data) >= 30:
        check_pixels(
            int.from_bytes(data[26:28], "little") & 0x3FFF,
            int.from_bytes(data[28:30], "little") & 0x3FFF,
            max_pixels,
        )
    elif chunk == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        check_pixels(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), max_pixels)


def check_scans(data: bytes, pixels: int) -> None:
    """
    Refuse a JPEG with very many scans, each of which costs a pass over the whole picture.

    See libjpeg-turbo, "Two Issues with the JPEG Standard".
    """
    scans = data.count(b"\xff\xda")
    if scans > _MAX_SCANS or scans * pixels > _MAX_SCANNED_PIXELS:
        raise NotAPicture(PictureReason.CORRUPT, f"jpeg: {scans} scans")


def has_one_scan(data: bytes) -> bool:
    """
    Tell whether decoders stop after the first scan of a JPEG (ITU-T T.81, B.2).

    It is sequential then, with all its colours in that scan.
    """
    scan = _first_scan(data)
    return scan is not None and scan[1]


def _first_scan(data: bytes) -> tuple[int, bool] | None:
    """
    Return where a JPEG's first scan begins and whether it is the only one.

    None when the way there is not as every encoder writes it.
    """
    at, progressive, colours = 2, True, 0
    while at + 4 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker in _ALONE:
            # Nobody writes one before the first scan, and to take what follows it for a length
            # would be to look where decoders do not.
            return None
        if marker == 0xDA:
            return at, not progressive and data[at + 4] == colours
        if marker in _FRAMES and at + 9 < len(data):
            progressive, colours = marker not in _SEQUENTIAL_FRAMES, data[at + 9]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL_FRAMES = frozenset((0xC0, 0xC1))
_ALONE = frozenset((0x00, 0x01, *range(0xD0, 0xDA)))
"""Markers without a length (ITU-T T.81, B.1.1.3), and the byte that makes 0xFF no marker."""
