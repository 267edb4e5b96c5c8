"""Connections to many hosts, a few for each, kept open between requests."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping

from celebcollect.web.breaker import Breaker
from celebcollect.web.budget import FetchBudget
from celebcollect.web.connection import Connection
from celebcollect.web.failures import FetchFailed
from celebcollect.web.guard import Guard
from celebcollect.web.head import ResponseHead
from celebcollect.web.pace import Pace, Patience
from celebcollect.web.reasons import FetchReason
from celebcollect.web.request_target import RequestTarget
from celebcollect.web.transfer import ConnectionGone, OnHead

_MOST_IDLE = 64
"""Connections that are kept unused, over all hosts; one to an https host holds 1 MB."""

_IDLE_OF_A_HOST = 8
_SPARE = 8
"""Handles without a connection that are kept for the next host."""

_REMEMBERED_HOSTS = 10_000

_FAULTS_OF_HOSTS = frozenset(
    (
        FetchReason.TIMEOUT,
        FetchReason.CONNECTION_FAILED,
        FetchReason.BAD_RESPONSE,
        FetchReason.SERVER_ERROR,
        FetchReason.UNRESOLVABLE,
    )
)
_SAID_BY_HOSTS = frozenset(
    (
        FetchReason.NOT_FOUND,
        FetchReason.FORBIDDEN,
        FetchReason.BAD_STATUS,
        FetchReason.OPTED_OUT,
        FetchReason.TOO_LARGE,
    )
)


class _Host:
    """A host in use, or with idle connections: those, newest last, and the slots for all."""

    def __init__(self, per_host: int) -> None:
        self.slots = threading.BoundedSemaphore(per_host)
        self.users = 0
        self.idle: list[Connection] = []


class Hosts:
    """Sends requests, few at once to each host. Thread-safe."""

    def __init__(
        self,
        *,
        per_host: int,
        allow_private: bool,
        ca_file: str | None = None,
        host_wait_s: float = 0.0,
    ) -> None:
        """
        Connect to nobody yet.

        Args:
            per_host: Connections to one host.
            allow_private: Whether hosts may lie in private networks.
            ca_file: Replaces the public certificate authorities.
            host_wait_s: How long a run waits for one host that says stop.
        """
        self._per_host = per_host
        self._host_wait_s = host_wait_s
        self._ca_file = ca_file
        self._guard = Guard(allow_private=allow_private)
        self._lock = threading.Lock()
        self._hosts: OrderedDict[str, _Host] = OrderedDict()
        """Used last comes last."""
        self._idle = 0
        self._spare: list[Connection] = []
        self._breakers: OrderedDict[str, Breaker] = OrderedDict()
        self._paces: OrderedDict[str, tuple[Pace, Patience]] = OrderedDict()
        self._is_closed = False

    def ask(
        self,
        target: RequestTarget,
        headers: Mapping[str, str],
        budget: FetchBudget,
        on_head: OnHead,
    ) -> ResponseHead:
        """
        Send a GET request, waiting for one of the host's slots if need be.

        Raises:
            FetchFailed: No slot became free in time, no answer, a broken one, or what the sink of
                the body raised.
        """
        with self._slot(target.host, budget) as host:
            while (kept := self._kept(host, target.origin)) is not None:
                with self._put_away(host, target.host, kept), contextlib.suppress(ConnectionGone):
                    return kept.reuse_for(target, headers, budget, on_head)
            # Each new connection has its host resolved and judged anew.
            addresses = self._guard.addresses(target.host, target.connection_port)
            fresh = self._fresh()
            with self._put_away(host, target.host, fresh):
                return fresh.connect_for(target, addresses, headers, budget, on_head)

    @contextlib.contextmanager
    def watched(self, target: RequestTarget) -> Iterator[None]:
        """
        Leave the host alone if it is not well, and learn from what happens inside how it is.

        Raises:
            FetchFailed: `host_resting`, or what was raised inside.
        """
        pace, breaker = self._state(target)
        pause = pace.enter(target.host)
        try:
            breaker.check(target.host)
            yield
        except FetchFailed as failure:
            if failure.said_stop:
                pace.refused(failure, target.url, pause)
            if failure.said_stop or failure.reason in _SAID_BY_HOSTS:
                breaker.succeeded()
            elif failure.reason in _FAULTS_OF_HOSTS:
                breaker.failed(target.url)
            if failure.reason in _SAID_BY_HOSTS:
                pace.answered()
            raise
        finally:
            pace.leave()
        breaker.succeeded()
        pace.answered()

    def close(self) -> None:
        """Close the idle connections; those in use are closed when their requests end."""
        with self._lock:
            self._is_closed = True
            unused = [*self._spare, *(one for host in self._hosts.values() for one in host.idle)]
            self._spare.clear()
            self._hosts.clear()
            self._idle = 0
        for connection in unused:
            connection.close()

    def _state(self, target: RequestTarget) -> tuple[Pace, Breaker]:
        """
        Return the pace of a site and the breaker of one server of it.

        With and without TLS and `www.` a site is the same one. Another port may be another program,
        and other names at one address are other people's.
        """
        site = target.netloc.removeprefix("www.")
        with self._lock:
            if site not in self._paces:
                patience = Patience(self._host_wait_s)
                self._paces[site] = Pace(patience), patience
            pace, patience = self._paces[site]
            self._paces.move_to_end(site)
            breaker = self._breakers.setdefault(target.origin, Breaker(patience))
            self._breakers.move_to_end(target.origin)
            for remembered in (self._paces, self._breakers):
                if len(remembered) > _REMEMBERED_HOSTS:
                    remembered.popitem(last=False)
            return pace, breaker

    @contextlib.contextmanager
    def _slot(self, name: str, budget: FetchBudget) -> Iterator[_Host]:
        with self._lock:
            host = self._hosts.setdefault(name, _Host(self._per_host))
            self._hosts.move_to_end(name)
            host.users += 1
        try:
            if not host.slots.acquire(timeout=budget.left_s()):
                detail = f"no connection to {name} became free"
                raise FetchFailed(FetchReason.TIMEOUT, detail, transient=True)
            try:
                yield host
            finally:
                host.slots.release()
        finally:
            with self._lock:
                host.users -= 1
                self._forget(name, host)

    def _forget(self, name: str, host: _Host) -> None:
        """Drop a host that has neither users nor connections."""
        if not host.users and not host.idle and self._hosts.get(name) is host:
            del self._hosts[name]

    def _kept(self, host: _Host, origin: str) -> Connection | None:
        with self._lock:
            for connection in reversed(host.idle):
                if connection.origin == origin:
                    host.idle.remove(connection)
                    self._idle -= 1
                    return connection
        return None

    def _fresh(self) -> Connection:
        """Return a handle for a new connection."""
        with self._lock:
            if self._spare:
                return self._spare.pop()
            if self._idle >= _MOST_IDLE:
                return self._oldest()
        return Connection(self._ca_file)

    def _oldest(self) -> Connection:
        """Take an idle connection away from the host that was used least lately."""
        name, host = next(item for item in self._hosts.items() if item[1].idle)
        connection = host.idle.pop(0)
        self._idle -= 1
        self._forget(name, host)
        return connection

    @contextlib.contextmanager
    def _put_away(self, host: _Host, name: str, connection: Connection) -> Iterator[None]:
        """Keep the connection after its request if it can be used again, or else its handle."""
        try:
            yield
        finally:
            unwanted: Connection | None = connection
            with self._lock:
                if self._is_closed or self._hosts.get(name) is not host:
                    pass
                elif connection.is_spare:
                    if len(self._spare) < _SPARE:
                        self._spare.append(connection)
                        unwanted = None
                elif connection.is_open and len(host.idle) < min(self._per_host, _IDLE_OF_A_HOST):
                    unwanted = self._oldest() if self._idle >= _MOST_IDLE else None
                    host.idle.append(connection)
                    self._idle += 1
            if unwanted is not None:
                unwanted.close()
