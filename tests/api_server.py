"""A server that plays an API: scripted answers and faults, every request written down."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """A request as it arrived."""

    at: float
    """Seconds of the monotonic clock."""
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    raw: str
    """Path and query as they were on the wire."""


@dataclass(frozen=True)
class Reply:
    """An answer: a `str` or `bytes` body goes out as it is, anything else as JSON."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Literal["", "reset", "cut", "hang", "drip"] = ""
    """reset: no answer, the connection is reset; cut: half an answer; hang: no answer; drip: a byte
    every 20 ms for ever."""


Script = Callable[[Request], Reply]


class ApiServer:
    """Answers by path; a path without a script is 404. Use it as a context manager."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.most_at_once = 0
        """Requests that waited for their answers at the same time."""
        self._at_once = 0
        self._scripts: dict[str, Script] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # or the 40 ms of delayed acknowledgements would be measured as well
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                server._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

            def handle_error(self, *_: object) -> None:
                pass  # clients that hang up are part of the tests

        self._server = Server(("127.0.0.1", 0), Handler)
        self.host = "127.0.0.1"
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def on(self, path: str, *replies: Reply | Script) -> None:
        """Give these answers in turn, the last one for ever; functions get the request."""
        left = list(replies)

        def script(request: Request) -> Reply:
            with self._lock:
                reply = left.pop(0) if len(left) > 1 else left[0]
            return reply if isinstance(reply, Reply) else reply(request)

        self._scripts[path] = script

    def paths(self) -> list[str]:
        """Return the paths asked for, in order."""
        return [request.path for request in self.requests]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Request(time.monotonic(), parts.path, query, headers, handler.path)
        with self._lock:
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            script = self._scripts.get(parts.path)
            reply = script(request) if script else Reply({"detail": "no script for this path"}, 404)
        finally:
            with self._lock:
                self._at_once -= 1
        self._send(handler, reply)

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.fault == "hang":
            self._closing.wait(30)
        if reply.fault in ("hang", "reset"):
            # Linger 0: the system sends RST, not FIN.
            handler.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            handler.close_connection = True
            return
        body = (
            reply.body
            if isinstance(reply.body, bytes)
            else (
                reply.body.encode()
                if isinstance(reply.body, str)
                else json.dumps(reply.body).encode()
            )
        )
        handler.send_response(reply.status)
        for name, value in {
            "Content-Type": "application/json; charset=utf-8",
            **reply.headers,
        }.items():
            handler.send_header(name, value)
        if reply.fault == "drip":
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
            while not self._closing.wait(0.02):
                handler.wfile.write(b" ")
            return
        handler.send_header("Content-Length", str(len(body)))
        if reply.fault == "cut":
            body = body[: len(body) // 2]
            handler.close_connection = True
        # One write: header and body in one packet.
        handler._headers_buffer.append(b"\r\n" + body)  # type: ignore[attr-defined]
        handler.flush_headers()
