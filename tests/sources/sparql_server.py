"""A SPARQL endpoint on 127.0.0.1 with a real engine behind it.

It fails as it is told and remembers who asked what and when.
"""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

import pyoxigraph


@dataclass(frozen=True)
class Reply:
    """What to send instead of the answer, or (with `status` None) when to send the answer."""

    status: int | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0
    cut: bool = False
    """Promise more bytes than are sent, then hang up."""
    drip_s: float = 0
    """Send the body byte by byte with this pause."""
    hang_up: bool = False
    """Close the connection without a word."""


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it; times are seconds of `time.monotonic`."""

    started: float
    ended: float
    method: str
    agent: str
    accept: str
    query: str


Fault = Callable[[str], Reply | None]


class SparqlServer:
    """
    Serves a Turtle file (or Turtle text) at `url` until the `with` block ends.

    `faults` are played one per request, in order (None: answer); `fault` looks at each query after
    they are used up.
    """

    def __init__(
        self, turtle: Path | str, *, faults: Iterable[Reply | None] = (), fault: Fault | None = None
    ) -> None:
        self._store = pyoxigraph.Store()
        text = turtle.read_bytes() if isinstance(turtle, Path) else turtle.encode()
        self._store.bulk_load(input=text, format=pyoxigraph.RdfFormat.TURTLE)
        self.faults = list(faults)
        self.fault = fault
        self._asked: list[Asked] = []
        self.busiest = 0
        """The most requests that were under way at once."""
        self._busy = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/sparql"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def asked(self) -> list[Asked]:
        """Return the requests in the order in which they arrived."""
        with self._lock:
            return sorted(self._asked, key=lambda asked: asked.started)

    def answer(self, query: str) -> Reply:
        """Return the engine's own answer."""
        try:
            results = self._store.query(query)
        except (SyntaxError, ValueError, OSError) as error:
            return Reply(400, str(error).encode())
        assert not isinstance(results, pyoxigraph.QueryTriples)
        body = results.serialize(format=pyoxigraph.QueryResultsFormat.JSON)
        assert body is not None  # it is None only where the engine writes to a file
        return Reply(
            200,
            body,
            {"Content-Type": "application/sparql-results+json"},
        )

    def _reply(self, query: str) -> Reply:
        with self._lock:
            reply = self.faults.pop(0) if self.faults else self.fault(query) if self.fault else None
        reply = reply or Reply()
        if reply.delay_s:
            self._closing.wait(reply.delay_s)
        return self.answer(query) if reply.status is None and not reply.hang_up else reply

    def _handler(outer) -> type[http.server.BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

            def do_GET(self) -> None:
                self._serve(urlsplit(self.path).query)

            def _serve(self, form: str) -> None:
                started = time.monotonic()
                with outer._lock:
                    outer._busy += 1
                    outer.busiest = max(outer.busiest, outer._busy)
                query = parse_qs(form).get("query", [""])[0]
                reply = outer._reply(query)
                with outer._lock:
                    outer._busy -= 1
                    outer._asked.append(
                        Asked(
                            started,
                            time.monotonic(),
                            self.command,
                            self.headers.get("User-Agent", ""),
                            self.headers.get("Accept", ""),
                            query,
                        )
                    )
                self._send(reply)

            def _send(self, reply: Reply) -> None:
                self.close_connection = True
                if reply.hang_up or reply.status is None:
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body) + (100 if reply.cut else 0)))
                self.send_header("Connection", "close")
                self.end_headers()
                try:
                    for part in (
                        [bytes([byte]) for byte in reply.body] if reply.drip_s else [reply.body]
                    ):
                        self.wfile.write(part)
                        if reply.drip_s and outer._closing.wait(reply.drip_s):
                            return
                except OSError:
                    return  # the client did not want to wait

            def log_message(self, *_: object) -> None: ...

        return Handler
