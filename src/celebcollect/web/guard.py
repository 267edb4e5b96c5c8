"""Connect to public addresses only, and never wait or read beyond what the request at hand may cost.

The check is made on the address that the connection really uses: the name is resolved once, every
address it has must be public, and the socket is opened to the address that was checked, so a name
cannot point elsewhere a moment later. Every connection of a download is opened here, those of
redirects, robots.txt and reconnects included, which makes this the one door to the network; proxies
of the environment play no role.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import certifi

from celebcollect.web.addresses import is_public

_NEXT_ADDRESS_S = 5.0
"""How long an address is tried while the host has others."""

_PIECE = 16_384
"""Bytes to ask the system for at once while lines are read."""

_BLOCK = 1_048_576
"""Memory to make ready for a body at once: what a server announces may never come."""


class RefusedAddress(Exception):
    """A host name leads to an address that is not public; the message names both."""


class Unresolvable(Exception):
    """A host name has no address."""


class OverBudget(Exception):
    """A picture took more time or sent more bytes than it may; `what` says which: `time` or `bytes`."""

    def __init__(self, what: str) -> None:
        super().__init__(f"used up its {what}")
        self.what = what


@dataclass
class Budget:
    """What is left to one picture of time and of bytes from the network, headers, framing and redirects included."""

    deadline: float
    """On the clock of `time.monotonic`."""
    max_bytes: int
    timeout_s: float
    """Longest single wait; a server that drips bytes renews that one, but not the deadline."""

    @classmethod
    def of(cls, *, time_s: float, max_bytes: int, timeout_s: float) -> Budget:
        """Return a budget that begins now."""
        return cls(time.monotonic() + time_s, max_bytes, timeout_s)

    def left_s(self) -> float:
        """Return the time that is left, 0 when it is up."""
        return max(self.deadline - time.monotonic(), 0.0)

    def wait_s(self) -> float:
        """Return how long one wait may take. Raises `OverBudget` when the time is up."""
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise OverBudget("time")
        return min(left_s, self.timeout_s)

    def spend(self, size: int) -> None:
        """Take received bytes off. Raises `OverBudget` when there are none left."""
        self.max_bytes -= size
        if self.max_bytes < 0:
            raise OverBudget("bytes")


class Line:
    """A connection, plain or encrypted, that respects the budget of whom it works for. For one thread at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""
        """Bytes that were received and not read yet."""
        self.budget: Budget | None = None
        self._wait_s = connection.gettimeout()
        self.idle_since = 0.0

    def send(self, data: bytes) -> None:
        """Send everything."""
        self._begin_wait()
        self._connection.sendall(data)

    def read_line(self, limit: int) -> bytes:
        """Return bytes up to and with the next line feed; fewer at `limit` or at the end."""
        while (end := self._buffer.find(b"\n", 0, limit)) < 0 and len(self._buffer) < limit:
            more = self._receive()
            if not more:
                break
            self._buffer += more
        size = limit if end < 0 else end + 1
        line, self._buffer = self._buffer[:size], self._buffer[size:]
        return line

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes; fewer at the end."""
        ready, self._buffer = self._buffer[:size], self._buffer[size:]
        pieces: list[bytes | bytearray] = [ready]
        missing = size - len(ready)
        while missing > 0 and (more := self._block(min(missing, _BLOCK))):
            pieces.append(more)
            missing -= len(more)
        return b"".join(pieces)

    def is_alive(self) -> bool:
        """Tell whether an idle connection can be used: one that the server closed, or on which it said something unasked, cannot."""
        waiting = select.poll()
        waiting.register(self._connection, select.POLLIN)
        return not self._buffer and not waiting.poll(0)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _receive(self) -> bytes:
        self._begin_wait()
        data = self._connection.recv(_PIECE)
        if self.budget:
            self.budget.spend(len(data))
        return data

    def _block(self, size: int) -> bytearray:
        """Receive `size` bytes straight into one place, fewer at the end: many small pieces would leave holes in the memory of every thread."""
        data = bytearray(size)
        at = 0
        with memoryview(data) as view:
            while at < size:
                self._begin_wait()
                received = self._connection.recv_into(view[at:])
                if not received:
                    break
                if self.budget:
                    self.budget.spend(received)
                at += received
        del data[at:]
        return data

    def _begin_wait(self) -> None:
        wait_s = self.budget.wait_s() if self.budget else None
        if wait_s != self._wait_s:  # a call of the system less, for most pieces
            self._connection.settimeout(wait_s)
            self._wait_s = wait_s


class Network:
    """The internet without its private part, unless `allow_private`. Thread-safe."""

    def __init__(self, *, allow_private: bool, tls: ssl.SSLContext | None = None) -> None:
        """Open nothing yet; `tls` replaces the usual trust in public certificate authorities (certifi's list, the one that httpx has)."""
        self._allow_private = allow_private
        self._tls = tls
        self._lock = threading.Lock()

    def connect(self, scheme: str, host: str, port: int, budget: Budget) -> Line:
        """
        Connect to the first address of a host that answers, if all its addresses may be talked to.

        Raises:
            RefusedAddress: At least one address of the host is not public.
            Unresolvable: The host has no address.
            OverBudget: The time is up.
            OSError: No address answered, or the encryption failed (ssl.SSLError).
        """
        *others, last = self._addresses(host, port)
        connection = None
        for address in others:
            try:
                connection = _open(address, min(budget.wait_s(), _NEXT_ADDRESS_S))
                break
            except OSError:
                continue
        if connection is None:
            connection = _open(last, budget.wait_s())
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if scheme == "https":
                connection.settimeout(budget.wait_s())
                connection = self._trust().wrap_socket(connection, server_hostname=host)
        except BaseException:
            connection.close()
            raise
        return Line(connection)

    def _trust(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                # When it is first needed: reading the list takes longer than a picture.
                self._tls = ssl.create_default_context(cafile=certifi.where())
            return self._tls

    def _addresses(self, host: str, port: int) -> list[tuple[int, Any]]:
        try:
            # Blocking, bounded by the system's resolver (usually 5 s per server and try); the
            # deadline is checked right after it.
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unresolvable(f"{host}: {error}") from error
        if not found:
            raise Unresolvable(host)
        if not self._allow_private:
            for _, _, _, _, address in found:
                if not is_public(ip_address(address[0])):
                    raise RefusedAddress(f"{host} is {address[0]}")
        return [(family, address) for family, _, _, _, address in found]


def _open(address: tuple[int, Any], timeout_s: float) -> socket.socket:
    family, place = address
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        connection.connect(place)
    except BaseException:
        connection.close()
        raise
    return connection
