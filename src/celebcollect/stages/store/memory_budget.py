"""Bound the memory for pictures that are on their way, however many downloads there are."""

from __future__ import annotations

import threading


class MemoryBudget:
    """
    So many bytes of memory for all downloads. Thread-safe.

    Each download takes memory as its bytes come, so one that sends a little and then drips holds
    no more than that little. What is given must leave a way for all to end: else several that are
    half done could wait for each other. That is the banker's algorithm (Dijkstra, EWD 108).
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._free = size
        self._open: dict[Reservation, int] = {}
        """What each download may still ask for."""
        self._change = threading.Condition()

    def take(self, reservation: Reservation, size: int, rest: int) -> None:
        """Wait until `size` bytes may be given; `rest` more may be asked for later."""
        with self._change:
            self._change.wait_for(lambda: self._ends_well(reservation, size, rest))
            self._free -= size
            self._open[reservation] = rest
            reservation.held += size
            self._change.notify_all()

    def give_back(self, reservation: Reservation) -> None:
        """Take back all that a download holds; it is done."""
        with self._change:
            self._open.pop(reservation, None)
            self._free += reservation.held
            reservation.held = 0
            self._change.notify_all()

    def _ends_well(self, asking: Reservation, size: int, rest: int) -> bool:
        """Tell whether all could still get what they may ask for, one after another."""
        free = self._free - size
        if free < 0:
            return False
        after = {**self._open, asking: rest}
        for one in sorted(after, key=after.__getitem__):
            if after[one] > free:
                return False
            free += one.held + (size if one is asking else 0)
        return True


class Reservation:
    """The bytes of a budget that one download has taken. For one thread."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self.held = 0

    def take(self, size: int, most: int) -> None:
        """
        Wait until the download holds `size` bytes in all, of `most` that it may take.

        More than there are in all counts as all.
        """
        size, most = min(size, self._budget.size), min(most, self._budget.size)
        if size > self.held:
            self._budget.take(self, size - self.held, max(most - size, 0))

    def give_back(self) -> None:
        """Give everything back."""
        self._budget.give_back(self)
