"""Read an answer in HTTP/1.1 (RFC 9112), strictly: what two programs could read in two ways is refused.

A fifth of the work of the readers in httpcore or http.client, which parse headers as if they were
mail. Knows no compression and no redirects.
"""

from __future__ import annotations

import re
from typing import Protocol

_MAX_LINE = 32_768
_MAX_HEAD_LINES = 200
_MAX_INTERIM = 10
"""Answers like 103 before the real one; honest servers send one or two."""

_MAX_CHUNKS = 100_000
"""Of a body; servers send 4 to 64 KB in each. Chunks of one byte would take 15 s of work for the
largest picture."""

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*?)[ \t]*\r?\n")
_FOLDED = re.compile(rb"[ \t]+([^\r\n]*?)[ \t]*\r?\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_END = (b"\r\n", b"\n")


class BadAnswer(Exception):
    """What a server sends is no HTTP, contradicts itself or ends too early."""


class Incoming(Protocol):
    """Where bytes come from."""

    def read_line(self, limit: int) -> bytes:
        """Return bytes up to and with the next line feed; fewer at `limit` or at the end."""
        ...

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes; fewer at the end."""
        ...


class Response:
    """One answer: its head, and its body to be read once."""

    def __init__(self, incoming: Incoming) -> None:
        """
        Read the head, over interim answers.

        Raises:
            BadAnswer: The head is none.
            ConnectionError: The server closed without a word.
        """
        self._in = incoming
        for _ in range(_MAX_INTERIM):
            version = self._read_head()
            if not 100 <= self.status < 200 or self.status == 101:
                break
        else:
            raise BadAnswer("interim answers without an end")
        if self.status == 101:
            raise BadAnswer("a switch of protocol")
        tokens = {
            token.strip()
            for value in self.headers.get("connection", ())
            for token in value.lower().split(",")
        }
        self._chunked = "transfer-encoding" in self.headers
        self._persistent = "close" not in tokens and (version == b"1" or "keep-alive" in tokens)
        self.length = self._length()
        """Bytes of the body that are still to come; None when that shows only at the end."""
        self._chunk, self._chunks = 0, 0
        self._complete = self.length == 0

    @property
    def can_go_on(self) -> bool:
        """Tell whether the body was read to its end, so that another answer may follow."""
        return self._complete and self._persistent

    def read(self, size: int) -> bytes:
        """
        Return the next `size` bytes of the body, fewer where a chunk or the body ends, none after its end.

        Raises:
            BadAnswer: The body ends too early, or its framing is broken.
        """
        if self._complete:
            return b""
        if self._chunked:
            return self._read_chunk(size)
        wanted = size if self.length is None else min(size, self.length)
        data = self._in.read(wanted)
        if self.length is None:
            # The end of the connection is the end of the body.
            self._complete, self._persistent = len(data) < size, False
        elif len(data) < wanted:
            raise BadAnswer("the body is cut off")
        else:
            self.length -= len(data)
            self._complete = self.length == 0
        return data

    def _read_head(self) -> bytes:
        first = self._in.read_line(_MAX_LINE)
        if not first:
            raise ConnectionResetError("closed without an answer")
        status = _STATUS.fullmatch(first)
        if not status:
            raise BadAnswer(f"begins with {first[:40]!r}")
        self.status = int(status[2])
        self.headers: dict[str, list[str]] = {}
        """Values by lower-case name, one per line."""
        last: list[str] | None = None
        for _ in range(_MAX_HEAD_LINES):
            line = self._in.read_line(_MAX_LINE)
            if line in _END:
                return status[1]
            header = _HEADER.fullmatch(line)
            if header:
                last = self.headers.setdefault(header[1].decode("ascii").lower(), [])
                last.append(header[2].decode("latin-1"))
            elif last and (folded := _FOLDED.fullmatch(line)):
                last[-1] = f"{last[-1]} {folded[1].decode('latin-1')}"
            else:
                raise BadAnswer(f"no header: {line[:40]!r}")
        raise BadAnswer("headers without an end")

    def _length(self) -> int | None:
        if self.status in (204, 304):
            return 0
        codings = [value.lower() for value in self.headers.get("transfer-encoding", ())]
        if codings:
            if codings != ["chunked"]:
                raise BadAnswer(f"Transfer-Encoding: {', '.join(codings)[:80]}")
            # Both framings at once is how answers are smuggled past somebody; nothing may follow
            # this one.
            self._persistent = self._persistent and "content-length" not in self.headers
            return None
        lengths = set(self.headers.get("content-length", ()))
        if not lengths:
            return None
        length = lengths.pop()
        if lengths or not re.fullmatch(r"[0-9]{1,20}", length):
            raise BadAnswer(f"Content-Length: {', '.join((length, *lengths))[:80]}")
        return int(length)

    def _read_chunk(self, size: int) -> bytes:
        if not self._chunk:
            line = self._in.read_line(_MAX_LINE)
            found = _CHUNK.fullmatch(line)
            if not found:
                raise BadAnswer(f"no size of a chunk: {line[:40]!r}")
            self._chunk = int(found[1], 16)
            self._chunks += 1
            if self._chunks > _MAX_CHUNKS:
                raise BadAnswer(f"more than {_MAX_CHUNKS} chunks")
            if not self._chunk:
                self._read_trailers()
                return b""
        wanted = min(size, self._chunk)
        data = self._in.read(wanted)
        if len(data) < wanted:
            raise BadAnswer("the body is cut off")
        self._chunk -= len(data)
        if not self._chunk and self._in.read_line(2) not in _END:
            raise BadAnswer("a chunk is longer than it says")
        return data

    def _read_trailers(self) -> None:
        for _ in range(_MAX_HEAD_LINES):
            line = self._in.read_line(_MAX_LINE)
            if line in _END:
                self._complete = True
                return
            if not line:
                raise BadAnswer("the body is cut off")
        raise BadAnswer("trailers without an end")
