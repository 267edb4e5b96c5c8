"""Ports of 127.0.0.1 for servers that must be told one, and ports on which nobody listens.

A server of our own binds port 0 and says which one it got. Kafka and the servers of MongoDB's
protocol are told a port before they start, and keep it when they are started again.
"""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator

LOWEST, HIGHEST = 10_240, 32_767
"""Below the ports that Linux gives to connections and to servers that ask for any (32,768 and up):
nothing else on the machine takes one between its choice and the start of the server."""


def free_ports(count: int) -> list[int]:
    """Return different ports that nobody listens on right now."""
    with contextlib.ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            probe = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", random.randint(LOWEST, HIGHEST)))
                found.append(probe.getsockname()[1])
        return found


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """Hold a port without listening on it: whoever connects is refused, and nobody can take it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
