"""Bound the memory for pictures that are on their way, however many downloads there are."""

from __future__ import annotations

import threading


class Room:
    """So many bytes of memory for all. Thread-safe."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._free = size
        self._change = threading.Condition()

    def take(self, size: int) -> None:
        """Wait until `size` bytes are free, at most all, and take them."""
        with self._change:
            self._change.wait_for(lambda: self._free >= size)
            self._free -= size

    def give(self, size: int) -> None:
        """Give bytes back."""
        with self._change:
            self._free += size
            self._change.notify_all()


class Share:
    """What one download has of a room. For one thread."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held = 0

    def take(self, size: int) -> None:
        """Wait for bytes and take them, once for each download; more than there are in all counts as all."""
        size = min(size, self._room.size)
        self._room.take(size)
        self._held += size

    def give_back(self) -> None:
        """Give everything back."""
        self._room.give(self._held)
        self._held = 0
