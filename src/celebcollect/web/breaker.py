"""Leave a host alone that is not well."""

from __future__ import annotations

import threading
import time

from celebcollect.web.failures import FetchFailed
from celebcollect.web.pace import Patience
from celebcollect.web.reasons import FetchReason

_REMEMBERED_URLS = 1_000
"""Failed URLs of one host that are kept in mind."""

_FAILURES_IN_A_ROW = 8
_REST_S = 30.0
_MAX_REST_S = 600.0


class Breaker:
    """
    Leaves a host alone after eight pictures in a row failed.

    After failures it rests for 30 s, then one caller tries, and each failure doubles the rest. Only
    faults of the host count (no connection, timeouts, 5xx), and of a URL only the first: some URLs
    of a good host fail each time, and their repetitions come one after the other. Thread-safe.
    """

    def __init__(self, patience: Patience) -> None:
        """Let everybody through; `patience` says which rests a run waits for."""
        self._patience = patience
        self._lock = threading.Lock()
        self._failed: set[str] = set()
        """URLs that have failed."""
        self._in_a_row = 0
        self._answered = False
        self._rests = 0
        self._rest_until = 0.0
        self._is_waited_for = False

    def check(self, host: str) -> None:
        """
        Let a request through, or not.

        When a rest after failures is over, one caller is let through to try.

        Raises:
            FetchFailed: `host_resting`, while the host is left alone.
        """
        with self._lock:
            left_s = self._rest_until - time.monotonic()
            if left_s > 0:
                raise FetchFailed(
                    FetchReason.HOST_RESTING,
                    host,
                    transient=True,
                    retry_after_s=left_s,
                    in_this_run=self._is_waited_for,
                )
            if self._rests:
                self._rest_until = time.monotonic() + self._rest_s()

    def succeeded(self) -> None:
        """Note that the host answered."""
        with self._lock:
            self._rest_until = 0.0
            self._in_a_row = self._rests = 0
            self._answered = True

    def failed(self, url: str) -> None:
        """Note that the host did not answer, or said that it is out of order."""
        with self._lock:
            if url in self._failed:
                if self._rests:
                    # that one failed before says nothing: let the next one try
                    self._rest_until = 0.0
                return
            if len(self._failed) >= _REMEMBERED_URLS:
                self._failed.clear()
            self._failed.add(url)
            self._in_a_row += 1
            if self._in_a_row >= _FAILURES_IN_A_ROW:
                self._rests += 1
                self._rest_until = max(self._rest_until, time.monotonic() + self._rest_s())
                # A host that never worked is not worth the wait.
                self._is_waited_for = self._answered and self._patience.grant(self._rest_s())

    def _rest_s(self) -> float:
        return float(min(_REST_S * 2.0 ** min(self._rests - 1, 10), _MAX_REST_S))
