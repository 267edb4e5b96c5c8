"""What is kept about each host: its connections, how many may be open at once, and whether it is left alone for a while."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping

from celebcollect.web.exchange import Answer, FetchFailed, ask, told
from celebcollect.web.guard import Budget, Line, Network
from celebcollect.web.reasons import FetchReason
from celebcollect.web.urls import Target

_OPEN_HOSTS = 128
"""Hosts with open connections; with 4 idle ones each (`per_host`) that stays below the usual limit
of 1,024 open files."""

_IDLE_LINES = 8
_IDLE_S = 20.0
"""How long an unused connection is kept; servers commonly close them after 5 to 75 s."""

_PORTS = {"http": 80, "https": 443}

_REMEMBERED_HOSTS = 10_000

_REMEMBERED_URLS = 1_000
"""Failed URLs of one host that are kept in mind."""

_FAILURES_IN_A_ROW = 8
_REST_S = 30.0
_MAX_REST_S = 600.0


class Breaker:
    """
    Leaves a host alone for as long as it asks, or after eight pictures in a row failed: 30 s, then one try, and twice as long after each failure.

    Only faults of the host count (no connection, timeouts, 5xx), and of a URL only the first: some
    URLs of a good host fail each time, and their repetitions come one after the other. Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: set[str] = set()
        """URLs that have failed."""
        self._in_a_row = 0
        self._answered = False
        self._rests = 0
        self._rest_until = 0.0

    def check(self, host: str) -> None:
        """Raise `FetchFailed` (`host_resting`) while the host is left alone; when a rest after failures is over, one caller is let through to try."""
        with self._lock:
            left_s = self._rest_until - time.monotonic()
            if left_s > 0:
                raise FetchFailed(
                    FetchReason.HOST_RESTING,
                    host,
                    transient=True,
                    retry_after_s=left_s,
                    answered_before=self._answered,
                )
            if self._rests:
                self._rest_until = time.monotonic() + self._rest_s()

    def succeeded(self) -> None:
        """Note that the host answered."""
        with self._lock:
            # A rest that the host asked for stays, although another answer of it was under way.
            if self._rests:
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

    def rest(self, for_s: float) -> None:
        """Leave the host alone for as long as it asked."""
        with self._lock:
            self._rest_until = max(self._rest_until, time.monotonic() + for_s)

    def _rest_s(self) -> float:
        return float(min(_REST_S * 2.0 ** min(self._rests - 1, 10), _MAX_REST_S))


class _Host:
    """A host in use: its idle connections by origin, newest last, and the slots for all of them."""

    def __init__(self, per_host: int) -> None:
        self.slots = threading.BoundedSemaphore(per_host)
        self.users = 0
        self.idle: list[tuple[str, Line]] = []

    def close(self) -> None:
        while self.idle:
            self.idle.pop()[1].close()


class Hosts:
    """Connections to many hosts, a few for each, kept open between requests. Thread-safe; a connection belongs to one request at a time."""

    def __init__(
        self, *, per_host: int, allow_private: bool, tls: ssl.SSLContext | None = None
    ) -> None:
        """Connect to nobody yet; `tls` replaces the usual trust in public certificate authorities."""
        self._per_host = per_host
        self._network = Network(allow_private=allow_private, tls=tls)
        self._lock = threading.Lock()
        self._hosts: OrderedDict[str, _Host] = OrderedDict()
        self._breakers: OrderedDict[str, Breaker] = OrderedDict()

    @contextlib.contextmanager
    def ask(self, target: Target, headers: Mapping[str, str], budget: Budget) -> Iterator[Answer]:
        """
        Send a GET request, waiting for one of the host's slots if need be; the body must be read inside the block.

        Raises:
            FetchFailed: No slot became free in time, no answer, a broken one, or reading its body
                failed.
        """
        host = self._enter(target.host)
        try:
            if not host.slots.acquire(timeout=budget.left_s()):
                raise FetchFailed(
                    FetchReason.TIMEOUT,
                    f"no connection to {target.host} became free",
                    transient=True,
                )
            try:
                with told():
                    line, answer = self._answer(host, target, headers, budget)
                    try:
                        yield answer
                    finally:
                        self._put_away(host, target, line, usable=answer.can_go_on)
            finally:
                host.slots.release()
        finally:
            with self._lock:
                host.users -= 1

    def breaker(self, origin: str) -> Breaker:
        """Return the breaker of a server: scheme, host and port, because another port may be another program."""
        with self._lock:
            breaker = self._breakers.setdefault(origin, Breaker())
            self._breakers.move_to_end(origin)
            if len(self._breakers) > _REMEMBERED_HOSTS:
                self._breakers.popitem(last=False)
            return breaker

    def close(self) -> None:
        """Close the idle connections; those in use are closed when their requests end."""
        with self._lock:
            hosts = list(self._hosts.values())
            self._hosts.clear()
            for host in hosts:
                host.close()

    def _answer(
        self, host: _Host, target: Target, headers: Mapping[str, str], budget: Budget
    ) -> tuple[Line, Answer]:
        """Return the answer and the line it came over, a kept one if there is one."""
        while True:
            kept = self._kept(host, target.origin)
            line = kept or self._network.connect(
                target.scheme, target.host, target.port or _PORTS[target.scheme], budget
            )
            line.budget = budget
            try:
                return line, ask(line, target, headers)
            except ConnectionError:
                line.close()
                # The server closed a kept connection at the moment in which we used it again:
                # nothing is wrong with the host.
                if kept is None:
                    raise
            except BaseException:
                line.close()
                raise

    def _kept(self, host: _Host, origin: str) -> Line | None:
        while True:
            with self._lock:
                place = next(
                    (
                        place
                        for place in reversed(range(len(host.idle)))
                        if host.idle[place][0] == origin
                    ),
                    None,
                )
                if place is None:
                    return None
                line = host.idle.pop(place)[1]
            if time.monotonic() - line.idle_since < _IDLE_S and line.is_alive():
                return line
            line.close()

    def _put_away(self, host: _Host, target: Target, line: Line, *, usable: bool) -> None:
        line.budget = None
        line.idle_since = time.monotonic()
        with self._lock:
            # Not for a host that was dropped or closed meanwhile: nobody would ever close it.
            if (
                usable
                and len(host.idle) < min(self._per_host, _IDLE_LINES)
                and self._hosts.get(target.host) is host
            ):
                host.idle.append((target.origin, line))
                return
        line.close()

    def _enter(self, name: str) -> _Host:
        dropped = None
        with self._lock:
            host = self._hosts.get(name)
            if host is None:
                host = self._hosts[name] = _Host(self._per_host)
            self._hosts.move_to_end(name)
            host.users += 1
            if len(self._hosts) > _OPEN_HOSTS:
                oldest = next(
                    (other for other, entry in self._hosts.items() if not entry.users), None
                )
                dropped = self._hosts.pop(oldest) if oldest is not None else None
        if dropped:
            dropped.close()
        return host
