"""Bound the memory for pictures that are on their way, however many downloads there are."""

from __future__ import annotations

import threading


class MemoryBudget:
    """So many bytes of memory for all downloads. Thread-safe."""

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


class Reservation:
    """The bytes of a budget that one download has taken. For one thread."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._held = 0

    def take(self, size: int) -> None:
        """
        Wait for bytes and take them; called once for each download.

        More than there are in all counts as all.
        """
        size = min(size, self._budget.size)
        self._budget.take(size)
        self._held += size

    def give_back(self) -> None:
        """Give everything back."""
        self._budget.give(self._held)
        self._held = 0
