"""Forgive a JPEG that lacks its end, where nothing to be seen is missing.

Servers that cut the last bytes and programs that forget the end marker are common; browsers show
such pictures. A JPEG in one scan is decoded once, as a whole one is: its decoder is given an end
marker (`pixels.opened`), and what it then fills in can be told from the pixels. In several scans
the picture is there before the last one has come: there it is decoded with two continuations, and
pixels that do not depend on them are there.
"""

from __future__ import annotations

import random
from typing import Literal

import numpy as np
import numpy.typing as npt

from celebcollect.pictures.formats import NotAPicture
from celebcollect.pictures.jpeg_layout import JpegLayout
from celebcollect.pictures.limits import has_one_scan
from celebcollect.pictures.pixels import Decoded, opened
from celebcollect.pictures.reasons import PictureReason

_END = b"\xff\xd9"

MAX_PIXELS = 25_000_000
"""Of a picture in several scans that is tried: it is decoded several times."""

_MISSING_SHARE = 0.0005
_MISSING_PIXELS = 768
"""What may be missing: this share of the picture, or two of its 16x16 blocks with the seam that
smoothing colours adds to them."""

_FILL_BYTES_PER_BLOCK = 48
"""Of noise, for each 8x8 block of a colour that is to be changed by it; one takes about 20."""

MAX_SURPLUS_BYTES = 512
"""What may follow the last pixel, as behind a whole picture."""

_FILL = np.uint8(127)
"""What libjpeg fills in is in the middle: this value, or the next one where it is not inverted
(jdhuff.c leaves the coefficients of such blocks at zero)."""


def check_filled(data: bytes, found: Decoded) -> None:
    """
    Look how much of a JPEG in one scan its decoder has filled in.

    Grey that goes on where the picture is grey above is not to be seen and not counted.

    Args:
        data: Without an end marker.
        found: Its pixels, with `rows_at_end`.

    Raises:
        NotAPicture: `truncated`, more than a corner is missing, or something follows the pixels.
    """
    pixels = np.asarray(found.pixels)
    height, width = pixels.shape[:2]
    written = found.rows_at_end or 0
    near = pixels.reshape(height, width, -1)[max(0, written - 1) :]
    count = _filled_to_the_end(~_any_colour(near - _FILL > 1), has_context=written > 0)
    missing = count * (found.width_px * found.height_px) / (width * height)
    if missing > _most_missing(found.width_px, found.height_px):
        raise NotAPicture(PictureReason.TRUNCATED, f"jpeg: {missing:.0f} pixels are missing")
    if has_surplus(data):
        raise NotAPicture(PictureReason.TRUNCATED, "jpeg: no end marker behind the pixels")


def _filled_to_the_end(filled: npt.NDArray[np.bool_], *, has_context: bool) -> int:
    """
    Count the pixels from which on everything is of the colour that libjpeg fills in.

    Args:
        filled: Which pixels are of that colour; (height, width).
        has_context: The first row is known to be there, and is not counted.
    """
    width = filled.shape[1]
    rows = filled[1:] if has_context else filled
    # Blocks come row by row: of each row the end is missing, and of those below at least as much.
    ends = [width if row.all() else int(np.argmin(row[::-1])) for row in rows[::-1]]
    if not ends or (has_context and filled[0, width - ends[0] :].all()):
        return 0
    return int(np.minimum.accumulate(ends).sum())


def completed(data: bytes, *, max_pixels: int) -> bytes:
    """
    Return a JPEG in several scans with an end marker where it lacks nothing else.

    What is cut off in the middle of its scans comes back as it is, for the decoder to refuse.

    Raises:
        NotAPicture: `truncated`, more than a corner of its last scan is missing.
    """
    if data.rfind(_END, data.find(b"\xff\xda")) >= 0:
        return data
    data = data.rstrip(b"\xff")
    layout = JpegLayout.of(data)
    if layout is None or not layout.is_complete():
        return data
    size = layout.width * layout.height
    if size > min(MAX_PIXELS, max_pixels):
        return data
    most = _most_missing(layout.width, layout.height)
    count = round(most * 2 / 64) + 64
    # Half its size shows each block whose last bits are missing. Colours that are not in the last
    # scan need not be decoded.
    mode: Literal["L", "RGB"] = "L" if layout.ends_in_brightness() else "RGB"
    side_px = max(1, min(layout.width, layout.height) // 2)
    ended = data + _END
    shown = _pixels(ended, mode, side_px)
    differs = np.zeros(shown.shape[:2], dtype=bool)
    for seed in (1, 2):
        noise = _noise(seed, count * 3 * _FILL_BYTES_PER_BLOCK)
        differs |= _any_colour(shown != _pixels(data + noise, mode, side_px))
        missing = np.count_nonzero(differs) * size / differs.size
        if missing > most:
            raise NotAPicture(PictureReason.TRUNCATED, f"jpeg: {missing:.0f} pixels are missing")
    if has_surplus(data):
        raise NotAPicture(PictureReason.TRUNCATED, "jpeg: no end marker behind the pixels")
    return ended


def has_surplus(data: bytes) -> bool:
    """
    Tell whether more than `MAX_SURPLUS_BYTES` follow the last pixel of a JPEG without an end.

    Decoders skip them, so that anything may be hidden there. False for what cannot be decoded.
    """
    scan = data.rfind(b"\xff\xda")
    if len(data) - scan <= 2 * MAX_SURPLUS_BYTES:
        return False
    noise = _noise(3, MAX_SURPLUS_BYTES)
    # In one scan each block shows in the smallest size; a further scan may bring details alone.
    side_px = 1 if has_one_scan(data) else 1 << 16
    try:
        shown = _pixels(data + _END, "RGB", side_px)
        return np.array_equal(shown, _pixels(data[:-MAX_SURPLUS_BYTES] + noise, "RGB", side_px))
    except NotAPicture:
        return False


def _most_missing(width_px: int, height_px: int) -> float:
    return max(_MISSING_SHARE * width_px * height_px, _MISSING_PIXELS)


def _noise(seed: int, count: int) -> bytes:
    """Return bytes that are coded pixels as well as any others, and an end marker."""
    return random.Random(seed).randbytes(count).replace(b"\xff", b"\xfe") + _END  # noqa: S311


def _pixels(data: bytes, mode: Literal["L", "RGB"], side_px: int) -> npt.NDArray[np.uint8]:
    """Decode a JPEG; (height, width, colours), reduced to no side below `side_px`."""
    most = (1 << 32) if side_px == 1 else MAX_PIXELS
    with opened("JPEG", data, mode=mode, exif=b"", max_pixels=most, side_px=side_px) as found:
        pixels = np.asarray(found.pixels)
    return pixels.reshape(*pixels.shape[:2], -1)


def _any_colour(found: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Tell of each pixel whether it holds for any of its colours; (height, width)."""
    # `any(axis=2)` takes ten times as long: its loop is over three values for each pixel.
    any_colour = found[:, :, 0].copy()
    for colour in range(1, found.shape[2]):
        any_colour |= found[:, :, colour]
    return any_colour
