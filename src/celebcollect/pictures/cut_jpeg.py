"""Forgive a JPEG that lacks its end, where nothing to be seen is missing.

Servers that cut the last bytes and programs that forget the end marker are common; browsers show
such pictures. Pillow does not tell how much is missing, so the file is decoded with different
continuations: pixels that do not depend on them are there.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from celebcollect.pictures.formats import NotAPicture
from celebcollect.pictures.pixels import opened

_END = b"\xff\xd9"

MAX_PIXELS = 25_000_000
"""Of a picture that is tried: it is decoded three times, in full size."""

_MISSING_SHARE = 0.005
_MISSING_PIXELS = 768
"""What may be missing: this share of the picture, or two of its 16x16 blocks with the seam that
smoothing colours adds to them."""

_FILL_BYTES_PER_BLOCK = 48
"""Of noise, for each 8x8 block of a colour that is to be changed by it; one takes about 20."""

MAX_SURPLUS_BYTES = 512
"""What may follow the last pixel, as behind a whole picture."""


def with_end(data: bytes) -> bytes | None:
    """
    Return the JPEG with an end marker, or None where more is missing than a corner.

    Args:
        data: From its first scan on it ends where the file does, without an end marker.
    """
    data = data.rstrip(b"\xff")
    layout = _Layout.of(data)
    if layout is None or not layout.is_complete() or has_surplus(data):
        return None
    ended = data + _END
    count = round(layout.width * layout.height * _MISSING_SHARE * 2 / 64) + 64
    try:
        shown = _pixels(ended)
        missing = np.zeros(shown.shape[:2], dtype=bool)
        most = max(_MISSING_SHARE * missing.size, _MISSING_PIXELS)
        for seed in (1, 2):
            other = _pixels(data + _noise(seed, count * 3 * _FILL_BYTES_PER_BLOCK))
            differs = shown != other
            # `any(axis=2)` takes ten times as long: its loop is over three values for each pixel.
            missing |= differs[:, :, 0] | differs[:, :, 1] | differs[:, :, 2]
            if np.count_nonzero(missing) > most:
                return None
    except NotAPicture:
        return None
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
    try:
        return bool((_pixels(data + _END) == _pixels(data[:-MAX_SURPLUS_BYTES] + noise)).all())
    except NotAPicture:
        return False


def _noise(seed: int, count: int) -> bytes:
    """Return bytes that are coded pixels as well as any others, and an end marker."""
    return random.Random(seed).randbytes(count).replace(b"\xff", b"\xfe") + _END  # noqa: S311


def _pixels(data: bytes) -> npt.NDArray[np.uint8]:
    limit = {"max_pixels": MAX_PIXELS, "side_px": 1 << 16}
    with opened("JPEG", data, mode="RGB", exif=b"", **limit) as found:
        return np.asarray(found.pixels.convert("RGB"))


@dataclass(slots=True)
class _Colour:
    """One component of a frame, and how exactly its coefficients are known."""

    across: int
    down: int
    bits_missing: list[int]
    """Of each of the 64 coefficients, the lowest bits that no scan has brought (ITU-T T.81,
    G.1.1.1); 99 where none has."""


@dataclass(slots=True)
class _Layout:
    """What a JPEG says of itself up to where it ends."""

    width: int
    height: int
    colours: dict[int, _Colour]
    last_scan: list[int]
    interval: int
    """Blocks between two restart markers; 0 where there are none."""
    restarts: int
    """Restart markers in the last scan."""

    @classmethod
    def of(cls, data: bytes) -> _Layout | None:
        """Follow the segments; None where that is not possible or there is an end marker."""
        layout: _Layout | None = None
        interval = 0
        for marker, body, coded in _segments(data):
            if marker == 0xD9:
                return None
            if marker == 0xDD and len(body) >= 2:
                interval = int.from_bytes(body[:2], "big")
            elif marker in _FRAMES:
                layout = cls._framed(body)
                if layout is None:
                    return None
            elif marker == 0xDA:
                if layout is None or not layout._scanned(body):
                    return None
                layout.interval, layout.restarts = interval, coded
        return layout

    @classmethod
    def _framed(cls, body: bytes) -> _Layout | None:
        if len(body) < 6 or len(body) < 6 + 3 * body[5] or not 1 <= body[5] <= 4:
            return None
        colours = {
            body[at]: _Colour(body[at + 1] >> 4, body[at + 1] & 15, [99] * 64)
            for at in range(6, 6 + 3 * body[5], 3)
        }
        if not all(colour.across and colour.down for colour in colours.values()):
            return None
        height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        usable = 0 < width * height <= MAX_PIXELS
        return cls(width, height, colours, [], 0, 0) if usable else None

    def _scanned(self, body: bytes) -> bool:
        count = body[0] if body else 0
        if not count or len(body) < 1 + 2 * count + 3:
            return False
        self.last_scan = [body[1 + 2 * at] for at in range(count)]
        first, last, bits = body[1 + 2 * count : 4 + 2 * count]
        if not set(self.last_scan) <= self.colours.keys() or not first <= last <= 63:
            return False
        for name in self.last_scan:
            colour = self.colours[name]
            colour.bits_missing[first : last + 1] = [bits & 15] * (last + 1 - first)
        return True

    def is_complete(self) -> bool:
        """Tell whether every scan has begun that the picture needs, and its last interval too."""
        if any(any(colour.bits_missing) for colour in self.colours.values()):
            return False
        if not self.last_scan:
            return False
        intervals = -(-self._blocks() // self.interval) if self.interval else 1
        return self.restarts >= intervals - 1

    def _blocks(self) -> int:
        """Return how many units the last scan has (ITU-T T.81, A.2)."""
        across = max(colour.across for colour in self.colours.values())
        down = max(colour.down for colour in self.colours.values())
        if len(self.last_scan) > 1:
            return -(-self.width // (8 * across)) * -(-self.height // (8 * down))
        only = self.colours[self.last_scan[0]]
        return -(-self.width * only.across // (8 * across)) * -(
            -self.height * only.down // (8 * down)
        )


_FRAMES = (0xC0, 0xC1, 0xC2)
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield marker and content of the segments, and the restart markers in what follows a scan."""
    at = 2
    while found := _MARKER.search(data, at):
        marker, start = data[found.start() + 1], found.end()
        if marker in (0x01, 0xD8):
            at = start
            continue
        if marker == 0xD9:
            yield marker, b"", 0
            return
        at = start + int.from_bytes(data[start : start + 2], "big")
        restarts = 0
        if marker == 0xDA:
            following = _MARKER.search(data, at)
            end = following.start() if following else len(data)
            restarts = sum(1 for _ in _RESTART.finditer(data, at, end))
        yield marker, data[start + 2 : at], restarts
