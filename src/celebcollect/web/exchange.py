"""One HTTP request and its answer, with every way to fail told as a `FetchFailed`.

What HTTP libraries add (cookies, redirects by themselves, decompression without a limit, proxies
from the environment) is what a downloader must not have, so a request is a few lines of text over a
guarded line, and `http1` reads the answer.
"""

from __future__ import annotations

import contextlib
import errno
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from celebcollect.domain.errors import CelebCollectError
from celebcollect.domain.reasons import Reason
from celebcollect.web.guard import Line, OverBudget, RefusedAddress, Unresolvable
from celebcollect.web.http1 import BadAnswer, Response
from celebcollect.web.reasons import FetchReason, UrlReason
from celebcollect.web.retry_after import retry_after_s
from celebcollect.web.urls import Target

_DRAIN_BYTES = 65_536
"""An unwanted body up to this size is read, so that its connection can be used again; a longer one
is cut off with the connection."""

_PIECE = 65_536
_OUR_OWN = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
SMALL_BYTES = 1_048_576
"""A body that takes no more is read without asking for room; most pictures are like that."""


class FetchFailed(Exception):
    """Why a URL gave no bytes: a reason to count, what it was seen on, and whether another try may help."""

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        transient: bool = False,
        retry_after_s: float | None = None,
        answered_before: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.transient = transient
        self.retry_after_s = retry_after_s
        self.answered_before = answered_before
        """The host has answered this process, so that waiting for it is worth while."""


@dataclass(frozen=True)
class Answer:
    """The head of an answer; the body is read from it once, while the exchange is open."""

    status: int
    _response: Response = field(repr=False)

    def headers(self, name: str) -> list[str]:
        """Return the values of a header (its name in lower case), one per line."""
        return self._response.headers.get(name, [])

    def header(self, name: str) -> str:
        """Return the last value of a header, or an empty text."""
        values = self.headers(name)
        return values[-1] if values else ""

    def body(self, max_bytes: int, admit: Callable[[int], None] = lambda _: None) -> bytes:
        """
        Read the whole body, without its compression.

        Args:
            max_bytes: What is wanted at most.
            admit: Called once with the bytes that the body may take, when it proves to be large: a
                mere promise holds no room.

        Raises:
            FetchFailed: `too_large` (announced, received or unpacked), `unsupported_encoding`,
                `bad_response`.
        """
        announced = self._response.length
        if announced is not None and announced > max_bytes:
            raise FetchFailed(
                FetchReason.TOO_LARGE, f"{announced} bytes announced, at most {max_bytes} wanted"
            )
        unpack = _unpacker(self.header("content-encoding"))
        if announced is not None and unpack is None:
            start = self._response.read(min(announced, SMALL_BYTES))
            if announced <= SMALL_BYTES:
                return start
            admit(announced)
            return start + self._response.read(announced - SMALL_BYTES)
        chunks: list[bytes] = []
        size, admitted = 0, False
        while received := self._response.read(_PIECE):
            chunk = (
                unpack(received, max_bytes - size if admitted else SMALL_BYTES)
                if unpack
                else received
            )
            if size + len(chunk) > SMALL_BYTES and not admitted:
                admit(max_bytes)
                admitted = True
                if unpack:
                    chunk += unpack(b"", max(max_bytes - size - len(chunk), 0))
            size += len(chunk)
            if size > max_bytes:
                raise FetchFailed(FetchReason.TOO_LARGE, f"more than {max_bytes} bytes")
            chunks.append(chunk)
        if unpack and not unpack.complete:
            raise FetchFailed(
                FetchReason.BAD_RESPONSE, "the compressed body is cut off", transient=True
            )
        if not size:
            raise FetchFailed(
                FetchReason.BAD_RESPONSE, "neither a length nor a body", transient=True
            )
        return b"".join(chunks)

    def start(self, max_bytes: int) -> bytes:
        """Read the body as far as `max_bytes`, without its compression, and leave the rest aside."""
        unpack = _unpacker(self.header("content-encoding"))
        data = bytearray()
        while len(data) < max_bytes and (received := self._response.read(_PIECE)):
            data += unpack(received, max_bytes) if unpack else received
        return bytes(data[:max_bytes])

    def drain(self) -> None:
        """Read a short unwanted body away."""
        if self._response.length is not None and self._response.length <= _DRAIN_BYTES:
            self._response.read(self._response.length)

    def retry_after_s(self) -> float | None:
        """Return how long the server asks us to wait; None when it does not say."""
        return retry_after_s(self.header("retry-after"))

    @property
    def can_go_on(self) -> bool:
        """Tell whether another request may follow on the same line."""
        return self._response.can_go_on


class _Unpacker:
    """Unpacks gzip or deflate piece by piece, and never more than asked for."""

    def __init__(self, window_bits: int) -> None:
        self._stream = zlib.decompressobj(window_bits)

    def __call__(self, data: bytes, room: int) -> bytes:
        """Return what `data` unpacks to, or its first `room` + 1 bytes when it is more; what is left comes first in the next call."""
        try:
            return self._stream.decompress(self._stream.unconsumed_tail + data, room + 1)
        except zlib.error as error:
            raise FetchFailed(FetchReason.BAD_RESPONSE, f"broken compression: {error}") from error

    @property
    def complete(self) -> bool:
        return self._stream.eof


def _unpacker(encoding: str) -> _Unpacker | None:
    # We ask for no compression; some servers compress all the same. 47 = gzip or zlib by its
    # header, with the largest window.
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip", "deflate"):
        return _Unpacker(47)
    raise FetchFailed(FetchReason.UNSUPPORTED_ENCODING, name[:40])


def ask(line: Line, target: Target, headers: Mapping[str, str]) -> Answer:
    """
    Send a GET request and return its answer.

    Raises:
        OSError, OverBudget, BadAnswer: As the line and its reader raise them, see `told`.
    """
    lines = [
        f"GET {target.path} HTTP/1.1",
        f"Host: {target.netloc}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    line.send("\r\n".join((*lines, "", "")).encode("ascii"))
    response = Response(line)
    return Answer(response.status, response)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """
    Turn what network and protocol raise into `FetchFailed`.

    Raises:
        CelebCollectError: This machine has no more connections to give, which is no fault of the
            host or the picture.
    """
    try:
        yield
    except RefusedAddress as error:
        raise FetchFailed(UrlReason.PRIVATE_ADDRESS, str(error)) from error
    except Unresolvable as error:
        raise FetchFailed(FetchReason.UNRESOLVABLE, str(error), transient=True) from error
    except OverBudget as error:
        if error.what == "time":
            raise FetchFailed(
                FetchReason.TIMEOUT, "took too long altogether", transient=True
            ) from error
        raise FetchFailed(FetchReason.TOO_LARGE, "sent too much") from error
    except TimeoutError as error:
        raise FetchFailed(FetchReason.TIMEOUT, "no answer in time", transient=True) from error
    except ssl.SSLError as error:
        # A certificate does not get better by asking again; a connection that breaks off may.
        raise FetchFailed(
            FetchReason.TLS_ERROR, str(error)[:200], transient=isinstance(error, ssl.SSLEOFError)
        ) from error
    except BadAnswer as error:
        raise FetchFailed(FetchReason.BAD_RESPONSE, str(error)[:200], transient=True) from error
    except OSError as error:
        if error.errno in _OUR_OWN:
            raise CelebCollectError(
                f"cannot open a connection: {error.strerror}",
                hint=(
                    "Raise `ulimit -n`, or lower [store] workers, then run the same command again."
                ),
            ) from error
        raise FetchFailed(
            FetchReason.CONNECTION_FAILED, (error.strerror or str(error))[:200], transient=True
        ) from error
