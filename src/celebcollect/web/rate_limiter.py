"""Keep to a number of requests per second, however many threads ask. Knows no HTTP."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

Wait = Callable[[float], object]
"""Waits so many seconds and returns something true when it was cut short because the work is to
stop, as `threading.Event.wait` does."""

# A request may take a little longer to arrive than the one a window after it, so windows are kept 8
# % longer than asked: the server does not count one too many, and the rate stays within 10 % of
# what is allowed.
_MARGIN = 1.08


class RateLimiter:
    """
    Let at most `burst` requests start in any window of `burst / rate_per_s` seconds; thread-safe.

    `burst` = 1 spaces requests evenly; `burst` = `rate_per_s` lets a whole second's worth start at
    once, and then none before that second is over. Unlike a token bucket, no window ever holds more
    than the configured rate.
    """

    def __init__(
        self, rate_per_s: float, burst: int = 1, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if rate_per_s <= 0 or burst < 1:
            raise ValueError(f"no rate of {rate_per_s} per second with a burst of {burst}")
        self._window_s = burst / rate_per_s * _MARGIN
        self._starts: deque[float] = deque(maxlen=burst)
        self._held_until = -math.inf
        self._clock = clock
        self._lock = threading.Lock()

    def take(self, wait: Wait) -> bool:
        """Block until one more request may start; True when the work is to stop."""
        while True:
            with self._lock:
                start = self._next_start()
                delay = start - self._clock()
            if delay > 0 and wait(delay):
                return True
            with self._lock:
                # A server that asked for a rest in the meantime is given it: this start is let go
                # for a later one.
                if start >= self._held_until:
                    return False

    def hold(self, seconds: float) -> None:
        """Let nobody start for so many seconds, e.g. those of Retry-After; a longer hold stays."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + seconds)

    def _next_start(self) -> float:
        full = len(self._starts) == self._starts.maxlen
        start = max(
            self._clock(), self._held_until, self._starts[0] + self._window_s if full else -math.inf
        )
        self._starts.append(start)
        return start
