"""How often Google may be asked.

A pause between two queries, and a long rest after a captcha, both kept across runs.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from celebcollect.catalogue.base import Notes
from celebcollect.domain.errors import SourceBlocked
from celebcollect.domain.records import now

FIRST_REST = timedelta(hours=1)
LONGEST_REST = timedelta(hours=24)

_REST = "google_rest"
_LAST = "google_last_query"


class QueryPace:
    """
    Decides when the next query may be made.

    `min_interval_s` and up to 4 % more lie between the arrival of one page and the start of the
    next query. Counted from its start, a query that is slow to leave would be followed too closely,
    and the server would see two at once.
    """

    def __init__(
        self, notes: Notes, *, min_interval_s: float, wait: Callable[[float], object]
    ) -> None:
        self._notes = notes
        self._min_interval_s = min_interval_s
        self._wait = wait
        self._last: float | None = None  # monotonic

    def check(self) -> None:
        """
        Return when Google may be asked at all.

        Raises:
            SourceBlocked: A captcha was shown, and the rest after it is not over.
        """
        until = self._resting()[0]
        if until > now():
            raise blocked("Google refused us a while ago", until)

    def take_turn(self) -> bool:
        """
        Wait until the next query may start, and count it as started.

        False when the wait was cut short because the work is to end.
        """
        interval_s = self._min_interval_s * random.uniform(1.0, 1.04)  # noqa: S311 - no secret
        while (delay := self._due_in(interval_s)) > 0:
            if self._wait(delay):
                return False
        self.asked()
        return True

    def asked(self) -> None:
        """Count a query as made just now; called again when its page has arrived, or has not."""
        self._last = time.monotonic()
        self._notes.set_note(_LAST, {"at": time.time()})

    def rest(self) -> datetime:
        """Begin a rest, twice as long as the one before it, and return when it ends."""
        last = self._resting()[1]
        length = min(max(last * 2, FIRST_REST), LONGEST_REST)
        until = now() + length
        self._notes.set_note(_REST, {"until": until.isoformat(), "seconds": length.total_seconds()})
        return until

    def welcome(self) -> None:
        """Forget earlier rests: Google has answered."""
        if self._notes.note(_REST) is not None:
            self._notes.set_note(_REST, None)

    def _resting(self) -> tuple[datetime, timedelta]:
        """
        Return when the last rest ends or ended, and its length.

        A note that makes no sense counts as none.
        """
        note = self._notes.note(_REST) or {}
        try:
            until, length = (
                datetime.fromisoformat(note["until"]),
                timedelta(seconds=float(note["seconds"])),
            )
            # a clock may have been wrong
            return min(until.astimezone(UTC), now() + LONGEST_REST), max(length, timedelta(0))
        except (KeyError, TypeError, ValueError, OverflowError):
            return datetime.min.replace(tzinfo=UTC), timedelta(0)

    def _due_in(self, interval_s: float) -> float:
        """
        Return the seconds until the next query may start.

        They count from our own last query and from that of any other process.
        """
        delays = [0.0] if self._last is None else [self._last + interval_s - time.monotonic()]
        at = (self._notes.note(_LAST) or {}).get("at")
        if isinstance(at, int | float):
            since_s = time.time() - at
            if 0 <= since_s < interval_s:  # else long ago, or the clock was set back
                delays.append(interval_s - since_s)
        return max(delays)


def blocked(why: str, until: datetime) -> SourceBlocked:
    """Return the error that says why Google is left alone, and until when."""
    return SourceBlocked(
        f"{why}; it is left alone until {until:%Y-%m-%d %H:%M} UTC",
        hint="The other sources go on. If it happens often, raise [google] min_interval_s.",
        until=until,
    )
