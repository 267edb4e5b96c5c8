"""A clock that a test moves, in place of the module `time`."""

from __future__ import annotations


class Clock:
    """Stands still until `now` is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now
