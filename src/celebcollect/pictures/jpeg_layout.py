"""What a JPEG that ends without an end marker says of itself: its frame, scans and intervals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class _Colour:
    """One component of a frame, and how exactly its coefficients are known."""

    across: int
    down: int
    bits_missing: list[int]
    """Of each of the 64 coefficients, the lowest bits that no scan has brought (ITU-T T.81,
    G.1.1.1); 99 where none has."""


@dataclass(slots=True)
class JpegLayout:
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
    def of(cls, data: bytes) -> JpegLayout | None:
        """Follow the segments; None where that is not possible or there is an end marker."""
        layout: JpegLayout | None = None
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
    def _framed(cls, body: bytes) -> JpegLayout | None:
        if len(body) < 6 or len(body) < 6 + 3 * body[5] or not 1 <= body[5] <= 4:
            return None
        colours = {
            body[at]: _Colour(body[at + 1] >> 4, body[at + 1] & 15, [99] * 64)
            for at in range(6, 6 + 3 * body[5], 3)
        }
        if not all(colour.across and colour.down for colour in colours.values()):
            return None
        height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        return cls(width, height, colours, [], 0, 0) if width and height else None

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

    def ends_in_brightness(self) -> bool:
        """Tell whether the last scan has the first colour alone: of photographs the brightness."""
        return self.last_scan == list(self.colours)[:1]

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
