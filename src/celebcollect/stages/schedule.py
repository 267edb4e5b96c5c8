"""Put messages whose time has come back on the topics, from within the consume loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from celebcollect.bus.base import Bus

EVERY_S = 600.0


class Schedule:
    """
    Runs a job that publishes due messages: when the loop begins, and every ten minutes.

    Whoever knows that a message of this run will be due soon wakes it earlier. Thread-safe, but
    for `start` and the two that run the job, which are the loop's.
    """

    def __init__(self, publish_due: Callable[[Bus], object], *, every_s: float = EVERY_S) -> None:
        self._publish_due = publish_due
        self._every_s = every_s
        self._next = 0.0
        self._lock = threading.Lock()
        self._wake_at: float | None = None
        """On the clock of `time.monotonic`; None: nobody waits for anything."""

    def start(self) -> None:
        """Let the next `run` find its time come, however long ago the last one was."""
        self._next = 0.0

    def wake(self, in_s: float) -> None:
        """Ask for a run in so many seconds; of several requests the latest time counts."""
        with self._lock:
            self._wake_at = max(self._wake_at or 0.0, time.monotonic() + in_s)

    def is_awaited(self) -> bool:
        """Tell whether somebody asked for a run that is still to come; the loop then goes on."""
        return self._wake_at is not None

    def run(self, bus: Bus) -> None:
        """Run the job if ten minutes are over."""
        if time.monotonic() >= self._next:
            self._run(bus)

    def run_awaited(self, bus: Bus) -> None:
        """Run the job if the time that somebody asked for has come."""
        wake_at = self._wake_at
        if wake_at is not None and time.monotonic() >= wake_at:
            self._run(bus)

    def _run(self, bus: Bus) -> None:
        # Before the job: who asks while it runs asks for another run.
        with self._lock:
            self._wake_at = None
        self._publish_due(bus)
        self._next = time.monotonic() + self._every_s
