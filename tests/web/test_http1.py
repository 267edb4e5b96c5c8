"""How answers are read: strictly, and the same however the bytes arrive."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celebcollect.web.http1 import BadAnswer, Response

OK = b"HTTP/1.1 200 OK\r\n"


class Bytes:
    """Bytes that arrived."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def read_line(self, limit: int) -> bytes:
        return self._stream.readline(limit)

    def read(self, size: int) -> bytes:
        return self._stream.read(size)


def body(response: Response, piece: int = 7) -> bytes:
    data = b""
    while got := response.read(piece):
        data += got
    return data


@pytest.mark.parametrize(
    ("answer", "expected", "can_go_on"),
    [
        (OK + b"Content-Length: 5\r\n\r\nabcdefgh", b"abcde", True),
        (OK + b"Content-Length: 0\r\n\r\n", b"", True),
        (OK + b"Content-Length: 5\r\ncontent-length:  5 \r\n\r\nabcde", b"abcde", True),
        (OK + b"Content-Length: 5\r\nConnection: Keep-Alive, Close\r\n\r\nabcde", b"abcde", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nabcde", b"abcde", False),
        (
            b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nabcde",
            b"abcde",
            True,
        ),
        (OK + b"\r\nuntil the end", b"until the end", False),
        (
            OK
            + b"Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer:"
            b" x\r\n\r\n",
            b"abc0123456789",
            True,
        ),
        (
            OK + b"Transfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            b"abc",
            False,
        ),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", b"", True),
        (b"HTTP/1.1 200\nContent-Length: 1\n\na", b"a", True),
        (
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
            b"a",
            True,
        ),
    ],
)
def test_the_body_is_what_its_framing_says(answer: bytes, expected: bytes, can_go_on: bool) -> None:
    """Lengths, chunks and the end of the connection are understood, and whether another answer may follow."""
    response = Response(Bytes(answer))

    assert body(response) == expected
    assert response.can_go_on is can_go_on


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK",
        OK,
        OK + b"No colon\r\n\r\n",
        OK + b"Space : before\r\n\r\n",
        OK + b": no name\r\n\r\n",
        OK + b" folded first\r\n\r\n",
        OK + b"A: bare\rreturn\r\n\r\n",
        OK + b"A: b\r\n" * 201 + b"\r\n",
        OK + b"A: " + b"b" * 70_000 + b"\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        OK + b"Content-Length: 5, 5\r\n\r\nabcde",
        OK + b"Content-Length: -5\r\n\r\nabcde",
        OK + b"Content-Length: +5\r\n\r\nabcde",
        OK + b"Content-Length: 0x5\r\n\r\nabcde",
        OK + b"Content-Length: 5\r\n\r\nabc",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabcde\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nabcde\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5_0\r\nabcde\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nab",
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(answer: bytes) -> None:
    """Broken heads, contradicting lengths and broken chunks are errors, never a guess."""
    with pytest.raises(BadAnswer):
        body(Response(Bytes(answer)))


def test_silence_is_a_broken_connection() -> None:
    """A server that closes without a word may have closed a kept connection, so another try makes sense."""
    with pytest.raises(ConnectionError):
        Response(Bytes(b""))


def test_headers_are_found_by_name_in_any_case() -> None:
    """Values keep their order, lose the blanks around them, and folded lines are one."""
    response = Response(
        Bytes(OK + b"X-A: one \r\nx-a:\ttwo\r\n  three\r\nX-B:\r\nContent-Length: 0\r\n\r\n")
    )

    assert response.headers["x-a"] == ["one", "two three"]
    assert response.headers["x-b"] == [""]


@given(
    st.binary(max_size=300)
    | st.builds(
        lambda head, rest: OK + head + rest, st.binary(max_size=60), st.binary(max_size=300)
    )
)
def test_no_bytes_at_all_break_the_reader(data: bytes) -> None:
    """Whatever comes is an answer or a fault of the server."""
    try:
        response = Response(Bytes(data))
        assert len(body(response)) <= len(data)
    except (BadAnswer, ConnectionError):
        pass


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.integers(1, 64))
def test_chunks_make_up_the_body_however_they_are_cut(chunks: list[bytes], piece: int) -> None:
    """The size of the reads plays no role."""
    coded = b"".join(b"%X\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"

    response = Response(Bytes(OK + b"Transfer-Encoding: chunked\r\n\r\n" + coded + b"next"))

    assert body(response, piece) == b"".join(chunks)
    assert response.can_go_on
