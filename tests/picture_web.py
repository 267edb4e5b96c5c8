"""A small web server on 127.0.0.1 that answers byte for byte as a test tells it to."""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

Pieces = bytes | Iterable[bytes]
"""What goes over the wire, whole or piece by piece; the connection is closed after pieces, and kept
after bytes."""


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    path: str
    headers: dict[str, str]


Route = Callable[[Request], Pieces] | Pieces
"""What a path is answered with, or what makes that of a request."""


@dataclass
class PictureWeb:
    """What the server answers, and what it saw. Paths without a route are answered with 404."""

    host: str
    port: int
    scheme: str
    routes: dict[str, Route] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    open_most: int = 0
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str, host: str | None = None) -> str:
        """Return the URL of a path."""
        return f"{self.scheme}://{host or self.host}:{self.port}{path}"

    def asked(self, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(request.path == path for request in self.requests)


def answer(
    body: bytes = b"", status: int = 200, *, length: int | None = None, **headers: str
) -> bytes:
    """Build an answer; `length` is a Content-Length that lies; header names with _ for -."""
    lines = [
        f"HTTP/1.1 {status} Whatever",
        f"Content-Length: {len(body) if length is None else length}",
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def picture(
    seed: int = 0,
    size: tuple[int, int] = (200, 150),
    kind: str = "JPEG",
    mode: str = "RGB",
    **options: object,
) -> bytes:
    """Draw a smooth coloured picture, another one for each seed."""
    rng = np.random.default_rng(seed)
    few = Image.fromarray(rng.integers(0, 255, (9, 12, 3), dtype=np.uint8))
    target = io.BytesIO()
    few.resize(size, Image.Resampling.BICUBIC).convert(mode).save(target, kind, **options)
    return target.getvalue()


@contextlib.contextmanager
def serve(
    host: str = "127.0.0.1", port: int = 0, *, tls: ssl.SSLContext | None = None
) -> Iterator[PictureWeb]:
    """Serve on one address until the block ends."""
    with socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=256
    ) as listener:
        web = PictureWeb(host, listener.getsockname()[1], "https" if tls else "http")
        accepting = threading.Thread(target=_accept, args=(listener, web, tls), daemon=True)
        accepting.start()
        try:
            yield web
        finally:
            web.closing.set()
            # Waking the accept with a connection of our own ends it on every system.
            with contextlib.suppress(OSError):
                socket.create_connection((host, web.port), timeout=1).close()
            accepting.join(5)


def _accept(listener: socket.socket, web: PictureWeb, tls: ssl.SSLContext | None) -> None:
    while not web.closing.is_set():
        connection, _ = listener.accept()
        if web.closing.is_set():
            connection.close()
            return
        threading.Thread(target=_connection, args=(connection, web, tls), daemon=True).start()


def _connection(connection: socket.socket, web: PictureWeb, tls: ssl.SSLContext | None) -> None:
    with web.lock:
        web.connections += 1
        web.open_now += 1
        web.open_most = max(web.open_most, web.open_now)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with (
            tls.wrap_socket(connection, server_side=True) if tls else connection as stream,
            stream.makefile("rb") as lines,
        ):
            while request := _request(lines):
                web.requests.append(request)
                route = web.routes.get(request.path.partition("?")[0], answer(status=404))
                pieces = route(request) if callable(route) else route
                if isinstance(pieces, bytes):
                    stream.sendall(pieces)
                else:
                    for piece in pieces:
                        stream.sendall(piece)
                    return
    except (OSError, ValueError):
        pass  # the client left, which is often what a test is about
    finally:
        with web.lock:
            web.open_now -= 1


def _request(lines: io.BufferedReader) -> Request | None:
    first = lines.readline(65_536).decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while (line := lines.readline(65_536).decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(first[1], headers)
