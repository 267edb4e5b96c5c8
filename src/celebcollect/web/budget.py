"""What one picture may cost in time and bytes."""

from __future__ import annotations

import time
from dataclasses import dataclass

from celebcollect.web.failures import FetchFailed
from celebcollect.web.reasons import FetchReason


@dataclass
class FetchBudget:
    """What is left to one picture of time and bytes, headers and redirects included."""

    deadline: float
    """On the clock of `time.monotonic`."""
    max_bytes: int
    timeout_s: float
    """Longest silence; a server that drips bytes renews that one, but not the deadline."""

    @classmethod
    def of(cls, *, time_s: float, max_bytes: int, timeout_s: float) -> FetchBudget:
        """Return a budget that begins now."""
        return cls(time.monotonic() + time_s, max_bytes, timeout_s)

    def left_s(self) -> float:
        """
        Return the time that is left.

        Raises:
            FetchFailed: There is none.
        """
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise FetchFailed(FetchReason.TIMEOUT, "took too long altogether", transient=True)
        return left_s

    def spend(self, size: int) -> None:
        """
        Take received bytes off.

        Raises:
            FetchFailed: There are none left.
        """
        self.max_bytes -= size
        if self.max_bytes < 0:
            raise FetchFailed(FetchReason.TOO_LARGE, "sent too much")
