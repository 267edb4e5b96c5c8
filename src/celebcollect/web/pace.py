"""Leave a host alone that says stop, longer each time it says so again."""

from __future__ import annotations

import threading
import time
from collections import deque

from celebcollect.web.failures import FetchFailed
from celebcollect.web.reasons import FetchReason

FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 600.0
"""Pauses of a host that does not say how long: 10, 20, 40, 80, 160, 320 and then 600 s."""

_SHORTEST_ORDER_S = 1.0
"""Servers that send `Retry-After: 0` still refuse; the first pause is never shorter than this."""

_LEVEL_LOWERED_BY = 10
"""Answers in a row after which the next pause is half as long again."""

_DOUBTS_IN_A_ROW = 3
"""URLs in a row that must meet a mere 503 before it is taken for the whole host's word: one page
of a good host may be out of order."""

_REMEMBERED_URLS = 1_000
_LOOK_AGAIN_S = 0.25
"""When others ask again while one of them tries whether the host answers."""

_WINDOW_S = 3600.0


class Patience:
    """How long a run waits for one host: so many seconds of pauses in any hour."""

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._granted: deque[tuple[float, float]] = deque()

    def grant(self, for_s: float) -> bool:
        """Tell whether a run waits for a pause that begins now; if so, it is taken off."""
        now = time.monotonic()
        while self._granted and self._granted[0][0] < now - _WINDOW_S:
            self._granted.popleft()
        if sum(seconds for _, seconds in self._granted) + for_s > self._most_s:
            return False
        self._granted.append((now, for_s))
        return True


class Pace:
    """
    When a host may be asked, and by how many at once. Thread-safe.

    A host that says stop is left alone for as long as it asks, and for 10 s at least if it does not
    say, then twice as long with each further refusal. After a pause one request tries, and every
    answer lets one more go at the same time. Ten answers in a row halve the next pause; a host that
    has lived all its refusals down is asked freely again.
    """

    def __init__(self, patience: Patience) -> None:
        """Ask freely; `patience` says which pauses a run waits for."""
        self._patience = patience
        self._lock = threading.Lock()
        self._level = 0
        self._pauses = 0
        self._until = 0.0
        self._is_waited_for = False
        self._is_ordered = False
        """The pause is the host's word; otherwise one answer asked for it, perhaps for its URL."""
        self._has_answered = False
        self._under_way = 0
        self._at_once = 0
        self._answers = 0
        self._doubts = 0
        self._doubted: set[str] = set()
        """URLs that met a mere 503."""

    def enter(self, host: str) -> int:
        """
        Let a request through, or not; `leave` must follow. Return the pause that came before it.

        Raises:
            FetchFailed: `host_resting`, while the host is left alone, or while others find out
                whether it answers again.
        """
        with self._lock:
            left_s = self._until - time.monotonic()
            if left_s > 0:
                raise FetchFailed(
                    FetchReason.HOST_RESTING,
                    f"{host} said stop",
                    transient=True,
                    retry_after_s=left_s,
                    said_stop=self._is_ordered,
                    in_this_run=self._is_waited_for,
                )
            if self._level and self._under_way >= self._at_once:
                raise FetchFailed(
                    FetchReason.HOST_RESTING,
                    f"{host} said stop, and is tried again",
                    transient=True,
                    retry_after_s=_LOOK_AGAIN_S,
                    said_stop=True,
                )
            self._under_way += 1
            return self._pauses

    def leave(self) -> None:
        """Note that a request has ended, however it did."""
        with self._lock:
            self._under_way -= 1

    def answered(self) -> None:
        """Note an answer that is no refusal."""
        with self._lock:
            self._doubts = 0
            self._has_answered = True
            if not self._level:
                return
            self._answers += 1
            self._at_once += 1
            if self._answers >= _LEVEL_LOWERED_BY:
                self._level -= 1
                self._answers = 0

    def refused(self, failure: FetchFailed, url: str, pause: int) -> None:
        """
        Take the word of a host that says stop, and write into the failure how long it is to last.

        Args:
            failure: What the host said; `retry_after_s` if it told how long.
            url: What was asked for.
            pause: What `enter` returned for this request: refusals of requests that were under way
                together are one.
        """
        with self._lock:
            asked_s = failure.retry_after_s
            if failure.is_doubtful and not self._is_the_hosts_word(url):
                failure.said_stop = False
                if asked_s is not None:
                    self._rest(asked_s, is_ordered=False)
                return
            if pause == self._pauses:
                failure.retry_after_s = self._begin(asked_s)
            else:
                if asked_s is not None:
                    self._rest(asked_s, is_ordered=True)
                failure.retry_after_s = max(self._until - time.monotonic(), _LOOK_AGAIN_S)
            failure.in_this_run = self._is_waited_for

    def _begin(self, asked_s: float | None) -> float:
        """Begin the next pause; return how long it is."""
        untold_s = min(FIRST_PAUSE_S * 2.0 ** min(self._level, 10), LONGEST_PAUSE_S)
        if asked_s is None:
            pause_s = untold_s
        else:
            # A host that refuses again right after the time that it named needs more than that.
            pause_s = max(asked_s, untold_s if self._level else _SHORTEST_ORDER_S)
        self._level += 1
        self._pauses += 1
        self._at_once, self._answers = 1, 0
        self._rest(pause_s, is_ordered=True)
        return pause_s

    def _rest(self, for_s: float, *, is_ordered: bool) -> None:
        """Leave the host alone for so long, unless it is for longer already."""
        now = time.monotonic()
        more_s = now + for_s - max(self._until, now)
        if more_s <= 0:
            return
        # A host that has given nothing yet, and says nothing clear, is not worth the wait.
        is_worth_it = is_ordered or self._has_answered
        if self._until > now and not self._is_waited_for:
            is_worth_it = False  # a pause that is too long gets no shorter by going on
        self._is_waited_for = is_worth_it and self._patience.grant(more_s)
        self._is_ordered = is_ordered
        self._until = now + for_s

    def _is_the_hosts_word(self, url: str) -> bool:
        """Tell whether a mere 503 of one more URL means the whole host."""
        if self._level:
            return url not in self._doubted
        if url in self._doubted:
            return False
        if len(self._doubted) >= _REMEMBERED_URLS:
            self._doubted.clear()
        self._doubted.add(url)
        self._doubts += 1
        return self._doubts >= _DOUBTS_IN_A_ROW
