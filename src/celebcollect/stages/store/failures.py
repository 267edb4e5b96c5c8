"""Write down failed downloads, and when each may be tried again.

Nothing here sleeps and repeats, so there is no use for a retry library: the time is in the
catalogue, and survives the process. `store.retry` reads it.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from celebcollect.domain.reasons import Reason
from celebcollect.domain.records import Image, Status, now
from celebcollect.domain.tally import Tally
from celebcollect.domain.text import clean_text
from celebcollect.stages.reasons import StoreReason
from celebcollect.stages.schedule import Schedule
from celebcollect.web.fetch import FetchFailed
from celebcollect.web.reasons import FetchReason
from celebcollect.web.urls import host_of

log = logging.getLogger(__name__)

RETRY_DELAYS = (
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
)
"""After how long a download that failed for a passing reason may be tried again: after the first
failed run, the second, ... then never. What failed because its host said stop goes on with the
last one."""

AT_ONCE = 200
"""Pictures of one host that come back together: what a user expects of the next run."""

SPREAD = timedelta(seconds=12)
"""Between two further pictures of one host that were not asked for: a host that says stop lets
through a few at a time, so 50 come back in the ten minutes between two looks, not all of them."""

_LONGEST = RETRY_DELAYS[-1]
"""Within which all of them come back, however many they are."""

_MANY_HOSTS = 10_000

_NOTHING_NEW = (FetchReason.HOST_RESTING, StoreReason.HOST_TOO_SLOW)
"""Reasons of downloads whose host was not asked."""


class Failures:
    """Turns failed downloads into failed rows, and counts them. Thread-safe."""

    def __init__(self, tally: Tally, schedule: Schedule) -> None:
        self._tally, self._schedule = tally, schedule
        self._line = _WaitingLine()

    def of_picture(self, row: Image, reason: Reason, detail: str) -> Image:
        """Return the row of a picture that cannot be used; it is not tried again."""
        return self._failed(row, reason, detail, row.attempts + 1, retry_at=None)

    def of_download(self, row: Image, failure: FetchFailed) -> Image:
        """Return the row of a download that failed, perhaps for a passing reason."""
        soon_s = failure.retry_after_s
        if failure.in_this_run and soon_s is not None:
            # A second more, because `now` leaves out the fraction.
            self._schedule.wake(soon_s + 1)
            retry_at = now() + timedelta(seconds=soon_s)
            return self._failed(
                row, failure.reason, failure.detail, row.attempts, retry_at=retry_at
            )
        if failure.said_stop:
            return self._left_for_later(row, failure)
        later = None
        if failure.transient and row.attempts < len(RETRY_DELAYS):
            asked_for = timedelta(seconds=failure.retry_after_s or 0)
            later = now() + max(RETRY_DELAYS[row.attempts], asked_for)
        return self._failed(row, failure.reason, failure.detail, row.attempts + 1, retry_at=later)

    def _left_for_later(self, row: Image, failure: FetchFailed) -> Image:
        """
        Return the row of a picture whose host said stop.

        That says nothing about the picture, so it is never given up. One that was not asked for
        waits for the pause to be over, and behind the others of its host that were not; each that
        was asked for in vain waits longer.
        """
        wait = timedelta(seconds=failure.retry_after_s or 0)
        asked = failure.reason not in _NOTHING_NEW
        if asked and row.attempts:
            wait = max(wait, RETRY_DELAYS[min(row.attempts, len(RETRY_DELAYS)) - 1])
        retry_at = now() + wait if asked else self._line.place(row.url, now() + wait)
        return self._failed(
            row,
            failure.reason,
            failure.detail,
            row.attempts + int(asked),
            retry_at=retry_at,
        )

    def _failed(
        self, row: Image, reason: Reason, detail: str, attempts: int, *, retry_at: datetime | None
    ) -> Image:
        self._tally.count("failed")
        self._tally.drop(reason)
        log.debug("failed reason=%s detail=%r qid=%s url=%r", reason, detail, row.qid, row.url)
        update = {"status": Status.FAILED, "attempts": attempts, "retry_at": retry_at}
        if reason not in _NOTHING_NEW or row.reason is None:
            update |= {"reason": reason.value, "detail": clean_text(detail)[:200] or None}
        return row.model_copy(update=update)


class _WaitingLine:
    """When the pictures of each host that were not asked for come back. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, tuple[datetime, int]] = {}  # and how many stand in the line

    def place(self, url: str, earliest: datetime) -> datetime:
        """Return the time of one more picture: behind its host's others, within a day."""
        try:
            host = host_of(url)
        except ValueError:
            host = ""
        with self._lock:
            if len(self._last) >= _MANY_HOSTS:
                self._last = {name: last for name, last in self._last.items() if last[0] > now()}
            after, number = self._last.get(host, (earliest, 0))
            if after <= now():  # they have all come back
                number = 0
            at = earliest if number < AT_ONCE else max(earliest, after + SPREAD)
            at = min(at, earliest + _LONGEST)
            self._last[host] = at, number + 1
            return at
