"""A server that speaks just enough of MongoDB's protocol to refuse.

With it every error of a real server can be brought about.
"""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bson

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
HELLO = {
    "ismaster": True,
    "isWritablePrimary": True,
    "helloOk": True,
    "maxWireVersion": 21,
    "minWireVersion": 0,
    "ok": 1.0,
}
LIMITS = {
    "maxBsonObjectSize": 16_777_216,
    "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 100_000,
}

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def refusal(code: int, name: str, words: str) -> dict[str, Any]:
    """A server's answer that says no."""
    return {"ok": 0.0, "errmsg": words, "code": code, "codeName": name}


@contextmanager
def fake_mongo(answer: Answer) -> Iterator[int]:
    """Yield the port of a server that answers each command but greetings with `answer`."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while header := self.rfile.read(16):
                size, request, _, operation = struct.unpack("<iiii", header)
                body = self.rfile.read(size - 16)
                start = body.index(b"\0", 4) + 9 if operation == OP_QUERY else 5
                command = bson.decode(
                    body[start : start + struct.unpack_from("<i", body, start)[0]]
                )
                greeting = next(iter(command)).lower() in ("hello", "ismaster")
                reply = bson.encode({**HELLO, **LIMITS} if greeting else answer(command))
                if operation == OP_QUERY:
                    payload, kind = struct.pack("<iqii", 8, 0, 0, 1) + reply, OP_REPLY
                else:
                    payload, kind = struct.pack("<ib", 0, 0) + reply, OP_MSG
                self.wfile.write(
                    struct.pack("<iiii", len(payload) + 16, 0, request, kind) + payload
                )

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
