"""Hand out work host by host in turn.

So neither a slow host nor one with very many pictures keeps the others waiting.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """
    A queue with a turn for each host. Thread-safe.

    At most `per_host` items of a host are handed out at once. Within a host, items come in the
    order in which they were put; an item may be put for later.
    """

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._change = threading.Condition()
        self._waiting: dict[str, deque[T]] = {}
        self._busy: dict[str, int] = {}
        self._ready: deque[str] = deque()
        """Hosts with work and a free place, each once, in the order of their turns."""
        self._later: list[tuple[float, int, str, T]] = []
        self._numbers = itertools.count()
        self._closed = False

    def put(self, host: str, item: T, *, delay_s: float = 0.0) -> None:
        """Add an item, to be handed out after `delay_s` at the earliest."""
        with self._change:
            if delay_s > 0:
                heapq.heappush(
                    self._later, (time.monotonic() + delay_s, next(self._numbers), host, item)
                )
            else:
                self._add(host, item)
            self._change.notify()

    def take(self) -> tuple[str, T] | None:
        """
        Wait for the next item and return it with its host; `done` gives its place back.

        None means that the queue is closed.
        """
        with self._change:
            while not self._closed:
                wait_s = self._release_due()
                if self._ready:
                    host = self._ready.popleft()
                    item = self._waiting[host].popleft()
                    self._busy[host] = self._busy.get(host, 0) + 1
                    self._queue_up(host)
                    if self._ready:
                        self._change.notify()
                    return host, item
                self._change.wait(wait_s)
            return None

    def done(self, host: str) -> None:
        """Give the place of an item back."""
        with self._change:
            self._busy[host] -= 1
            if host not in self._ready:
                self._queue_up(host)
            if not self._busy[host]:
                del self._busy[host]
            self._change.notify()

    def is_waiting(self) -> bool:
        """Tell whether somebody who took an item now would get one at once."""
        with self._change:
            return bool(self._ready)

    def close(self) -> None:
        """Wake everybody who waits, and hand out nothing more."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def _add(self, host: str, item: T) -> None:
        queue = self._waiting.setdefault(host, deque())
        queue.append(item)
        if host not in self._ready:
            self._queue_up(host)

    def _queue_up(self, host: str) -> None:
        """Give a host the last turn if it has work and a free place; forget it without work."""
        queue = self._waiting.get(host)
        if queue and self._busy.get(host, 0) < self._per_host:
            self._ready.append(host)
        elif queue is not None and not queue:
            del self._waiting[host]

    def _release_due(self) -> float | None:
        """
        Move items whose time has come to their hosts.

        Returns the seconds until the next one is due, None when there is none.
        """
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            _, _, host, item = heapq.heappop(self._later)
            self._add(host, item)
        return self._later[0][0] - now if self._later else None
