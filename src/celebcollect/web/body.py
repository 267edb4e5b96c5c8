"""The body of an answer: collected, without its compression, and never more than is wanted."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

from celebcollect.web.failures import FetchFailed
from celebcollect.web.head import ResponseHead, bad_response
from celebcollect.web.reasons import FetchReason

SMALL_BYTES = 1_048_576
"""A body that takes no more is read without asking for room; most pictures are like that."""

_GZIP_OR_ZLIB = 47
"""Window bits: the header tells which one, with the largest window."""

_UNPACKED = frozenset(("gzip", "x-gzip", "deflate"))

_COMPRESSIONS = _UNPACKED | {
    # IANA's HTTP Content Coding Registry (read 2026-11)
    *("br", "compress", "dcb", "dcz", "exi", "pack200-gzip", "x-compress", "zstd"),
    # what servers use beside it
    *("bzip2", "lz4", "lzma", "sdch", "snappy", "xz"),
}
"""Names of compressions. Servers also write character sets, media types and `none` into
Content-Encoding; browsers take such bytes as they are, and so do we."""


Admit = Callable[[int, int], None]
"""Told how many bytes a body is about to take, and how many it may take in all; may wait."""


def admit_all(_size: int, _most: int) -> None:
    """Let every body come as it comes."""


class Enough(Exception):
    """Raised by a sink that wants no more of a body; no failure."""


class ResponseBody:
    """Takes a body piece by piece."""

    def __init__(self, head: ResponseHead, max_bytes: int, admit: Admit = admit_all) -> None:
        """
        Prepare for the body behind `head`.

        Args:
            head: The whole head.
            max_bytes: What is wanted at most.
            admit: Called when the body proves to be large, and again whenever it has grown by so
                much: neither a promise nor a server that drips holds room.

        Raises:
            FetchFailed: `too_large` by its announcement, or `unsupported_encoding`.
        """
        announced = head.length
        if announced is not None and announced > max_bytes:
            detail = f"{announced} bytes announced, at most {max_bytes} wanted"
            raise FetchFailed(FetchReason.TOO_LARGE, detail)
        self._unpack = _unpacker(head)
        self._may_be_empty = announced is not None and self._unpack is None
        self._room = announced if announced is not None and not self._unpack else max_bytes
        self._max_bytes = max_bytes
        self._admit = admit
        self._admitted = SMALL_BYTES
        self._kept = io.BytesIO()
        self._size = 0

    def write(self, piece: bytes) -> None:
        """
        Take the next piece.

        Raises:
            FetchFailed: `too_large`, or `bad_response` for broken compression.
        """
        if self._unpack is None:
            self._keep(piece)
            return
        # At most a byte beyond what is wanted: few bytes may unpack to gigabytes.
        self._keep(self._unpack(piece, self._wanted()))
        while rest := self._unpack.rest:
            self._keep(self._unpack(rest, self._wanted()))

    def data(self) -> bytes:
        """
        Return the whole body at its end.

        Raises:
            FetchFailed: Compression that is cut off, or nothing at all where nothing was announced.
        """
        if self._unpack is not None and not self._unpack.is_complete:
            raise bad_response("the compressed body is cut off")
        if not self._size and not self._may_be_empty:
            raise bad_response("neither a length nor a body")
        return self._kept.getvalue()

    def so_far(self) -> bytes:
        """Return what has come, whether it is all or not."""
        return self._kept.getvalue()

    def _wanted(self) -> int:
        """Return how much to unpack at once: what is admitted, and a byte that asks for more."""
        return min(self._admitted, self._max_bytes) - self._size + 1

    def _keep(self, piece: bytes) -> None:
        size = self._size + len(piece)
        if size > self._max_bytes:
            raise FetchFailed(FetchReason.TOO_LARGE, f"more than {self._max_bytes} bytes")
        if size > self._admitted:
            self._admitted = min(-(-size // SMALL_BYTES) * SMALL_BYTES, max(self._room, size))
            self._admit(self._admitted, self._room)
        self._kept.write(piece)
        self._size = size


class ResponseStart:
    """Takes the beginning of a body, without its compression, and leaves the rest aside."""

    def __init__(self, head: ResponseHead, max_bytes: int) -> None:
        """
        Prepare for the body behind `head`.

        Raises:
            FetchFailed: `unsupported_encoding`.
        """
        self._unpack = _unpacker(head)
        self._max_bytes = max_bytes
        self._kept = bytearray()

    def write(self, piece: bytes) -> None:
        """
        Take the next piece.

        Raises:
            Enough: That was all that is wanted.
            FetchFailed: Broken compression.
        """
        room = self._max_bytes - len(self._kept)
        self._kept += (self._unpack(piece, room) if self._unpack else piece)[:room]
        if len(self._kept) >= self._max_bytes:
            raise Enough

    def data(self) -> bytes:
        """Return what came of it."""
        return bytes(self._kept)


class _Unpacker:
    """Unpacks gzip or deflate piece by piece, and never more than asked for."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)

    def __call__(self, piece: bytes, size: int) -> bytes:
        """Return the first `size` bytes that a piece unpacks to; `rest` is what they leave."""
        try:
            return self._stream.decompress(piece, size)
        except zlib.error as error:
            detail = f"broken compression: {error}"
            raise FetchFailed(FetchReason.BAD_RESPONSE, detail) from error

    @property
    def rest(self) -> bytes:
        return self._stream.unconsumed_tail

    @property
    def is_complete(self) -> bool:
        return self._stream.eof


def _unpacker(head: ResponseHead) -> _Unpacker | None:
    names = [name for name in head.tokens("content-encoding") if name in _COMPRESSIONS]
    if not names:
        return None
    if len(names) == 1 and names[0] in _UNPACKED:
        # We ask for no compression; some servers compress all the same.
        return _Unpacker()
    raise FetchFailed(FetchReason.UNSUPPORTED_ENCODING, ", ".join(names)[:40])
