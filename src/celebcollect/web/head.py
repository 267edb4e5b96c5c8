"""The head of an answer, as libcurl hands it out line by line, and what in it is refused.

libcurl reads the protocol. What is checked here are values that it accepts although two programs
could understand them in two ways.
"""

from __future__ import annotations

import re

from celebcollect.web.failures import FetchFailed
from celebcollect.web.reasons import FetchReason
from celebcollect.web.retry_after import retry_after_s

_MAX_LINES = 200
"""Of headers and trailers together."""

_MAX_INTERIM = 10
"""Answers like 103 before the real one; honest servers send one or two."""

_FRAMING = frozenset(("content-length", "transfer-encoding", "content-encoding"))
"""Headers that some programs read with a blank before the colon, and others leave aside."""


class ResponseHead:
    """Status and headers of one answer, complete when `done`."""

    def __init__(self) -> None:
        self.status = 0
        self.done = False
        self._headers: dict[str, list[str]] = {}
        self._lines = 0
        self._interim = 0

    def add(self, line: bytes) -> None:
        """
        Take the next line, of this answer or of an interim one before it.

        Raises:
            FetchFailed: The head cannot be understood in one way, or has no end.
        """
        self._lines += 1
        if self._lines > _MAX_LINES:
            raise bad_response("headers without an end")
        text = line.decode("latin-1").strip(" \t\r\n")
        if self.done or not text:
            # A line after the head is a trailer, which nobody needs.
            self._end()
        elif not self.status:
            found = re.fullmatch(r"HTTP/\S+ ([1-9][0-9]{2})(?: .*)?", text)
            if found is None:
                raise bad_response(f"begins with {text[:40]!r}")
            self.status = int(found[1])
        else:
            name, _, value = text.partition(":")
            if not name or (name != name.strip() and name.strip().lower() in _FRAMING):
                raise bad_response(f"no header: {text[:40]!r}")
            self._headers.setdefault(name.lower(), []).append(value.lstrip(" \t"))

    def values(self, name: str) -> list[str]:
        """Return the values of a header (its name in lower case), one for each line."""
        return self._headers.get(name, [])

    def value(self, name: str) -> str:
        """Return the last value of a header, or an empty text."""
        values = self.values(name)
        return values[-1] if values else ""

    def tokens(self, name: str) -> list[str]:
        """Return the parts of a list header in lower case."""
        parts = ",".join(self.values(name)).lower().split(",")
        return [part.strip() for part in parts if part.strip()]

    @property
    def length(self) -> int | None:
        """Return the bytes of the body, None when they show only at its end."""
        lengths = self.values("content-length")
        return None if self.chunked or not lengths else int(lengths[0].partition(",")[0])

    @property
    def chunked(self) -> bool:
        """Tell whether the body comes in chunks."""
        return self.tokens("transfer-encoding") == ["chunked"]

    @property
    def is_ambiguous(self) -> bool:
        """Tell whether another program may see another end: then nothing may follow this answer."""
        return self.chunked and bool(self.values("content-length"))

    @property
    def whole_range(self) -> int | None:
        """Return the size of a range that is the whole (206), None for a part."""
        found = re.fullmatch(r"bytes 0-([0-9]{1,18})/([0-9]{1,18})", self.value("content-range"))
        size = int(found[2]) if found else 0
        return size if found and self.status == 206 and int(found[1]) == size - 1 else None

    def retry_after_s(self) -> float | None:
        """Return how long the server asks us to wait; None when it does not say."""
        return retry_after_s(self.value("retry-after"))

    def _end(self) -> None:
        if self.done:
            return
        if 100 <= self.status < 200:
            self._interim += 1
            if self.status == 101:
                raise bad_response("a switch of protocol")
            if self._interim >= _MAX_INTERIM:
                raise bad_response("interim answers without an end")
            self.status, self._headers = 0, {}
            return
        self._check_framing()
        self.done = True

    def _check_framing(self) -> None:
        codings = self.tokens("transfer-encoding")
        if codings not in ([], ["chunked"], ["identity"]):
            raise bad_response(f"Transfer-Encoding: {', '.join(codings)[:80]}")
        lengths = ",".join(self.values("content-length"))
        different = {part.strip() for part in lengths.split(",")} if lengths else set()
        if len(different) > 1 or not all(re.fullmatch("[0-9]{1,20}", part) for part in different):
            raise bad_response(f"Content-Length: {lengths[:80]}")


def bad_response(detail: str) -> FetchFailed:
    """Return the failure of an answer that is no HTTP, contradicts itself or ends too early."""
    return FetchFailed(FetchReason.BAD_RESPONSE, detail[:200], transient=True)
