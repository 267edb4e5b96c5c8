"""How answers are framed: what browsers read is read, what could be read in two ways is not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celebcollect.web.fetch import Fetcher, FetchFailed
from picture_web import PictureWeb

Fetchers = Callable[..., Fetcher]

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def fetched(fetcher: Fetcher, web: PictureWeb, answer: bytes) -> bytes:
    """Return what a server gives that sends these bytes and closes."""
    web.routes["/a"] = lambda _: iter([answer])
    return fetcher.get(web.url("/a")).data


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (OK + b"Content-Length: 5\r\n\r\nabcde", b"abcde"),
        (OK + b"Content-Length: 5\r\n\r\nabcdefgh", b"abcde"),
        (OK + b"Content-Length: 0\r\n\r\n", b""),
        (OK + b"Content-Length: 5\r\ncontent-length:  5 \r\n\r\nabcde", b"abcde"),
        (OK + b"Content-Length: 5, 5\r\n\r\nabcde", b"abcde"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nabcde", b"abcde"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (OK + b"\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200\nContent-Length: 1\n\na", b"a"),
        (b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", b"a"),
        (b"HTTP/1.1 200 \r\nContent-Length: 1  \r\n\r\na", b"a"),
        (b"HTTP/1.1 200 OK  \r\nCONTENT-LENGTH:1\r\n\r\na", b"a"),
        (OK + b"X-Author: J\xf6rg\r\nContent-Length: 1\r\n\r\na", b"a"),
        (OK + b"X-Cache : HIT\r\nMy Header: x\r\nContent-Length: 1\r\n\r\na", b"a"),
        (OK + b"X-A: one\r\n  two\r\nContent-Length: 1\r\n\r\na", b"a"),
        (OK + b"Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na", b"a"),
        (OK + b"Transfer-Encoding:  CHUNKED \r\n\r\n1\r\na\r\n0\r\n\r\n", b"a"),
        (CHUNKED + b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", b"abc0123456789"),
        (CHUNKED + b"00000003  \r\nabc\r\n00000000\r\n\r\n", b"abc"),
        (
            OK + b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            b"abc",
        ),
        (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na", b"a"),
    ],
)
def test_the_body_is_what_its_framing_says(
    fetcher: Fetchers, web: PictureWeb, answer: bytes, expected: bytes
) -> None:
    """Lengths, chunks, the end of the connection and sloppy spellings are understood."""
    assert fetched(fetcher(respect_robots=False), web, answer) == expected


TWO_WAYS = [
    b"SSH-2.0-OpenSSH\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\n\r\n",
    OK,
    b"HTTP/1.1  200 OK\r\nContent-Length: 1\r\n\r\na",
    b"HTTP/1.1 twohundred\r\n\r\n",
    b"HTTP/1.1\r\n\r\n",
    OK + b"No colon\r\nContent-Length: 1\r\n\r\na",
    OK + b": no name\r\nContent-Length: 1\r\n\r\na",
    OK + b" folded first\r\nContent-Length: 1\r\n\r\na",
    OK + b"Content-Length: 1\r\n 2\r\n\r\nabcdefghijkl",
    OK + b"Content-Length : 1\r\n\r\na",
    OK + b"Transfer-Encoding : chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    OK + b"A: a\x00b\r\nContent-Length: 1\r\n\r\na",
    OK + b"A: b\r\n" * 201 + b"\r\n",
    OK + b"A: " + b"b" * 400_000 + b"\r\n\r\n",
    OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    OK + b"Content-Length: 5, 6\r\n\r\nabcdef",
    OK + b"Content-Length: -5\r\n\r\nabcde",
    OK + b"Content-Length: +5\r\n\r\nabcde",
    OK + b"Content-Length: 0x5\r\n\r\nabcde",
    OK + b"Content-Length: 5 5\r\n\r\nabcde",
    OK + b"Content-Length: five\r\n\r\nabcde",
    OK + b"Content-Length: 5\r\n\r\nabc",
    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: xchunked\r\nContent-Length: 1\r\n\r\na",
    OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    CHUNKED + b"-5\r\nabcde\r\n0\r\n\r\n",
    CHUNKED + b"0x5\r\nabcde\r\n0\r\n\r\n",
    CHUNKED + b"3\r\nabcde\r\n0\r\n\r\n",
    CHUNKED + b"f" * 17 + b"\r\n",
    CHUNKED + b"3\r\nab",
    CHUNKED + b"3\r\nabc\r\n",
    CHUNKED + b"3\r\nabc\r\n0\r\n",
    CHUNKED + b"1\r\na\r\n0\r\n" + b"A: b\r\n" * 300 + b"\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
]


@pytest.mark.parametrize("answer", TWO_WAYS)
def test_what_could_be_read_in_two_ways_is_refused(
    fetcher: Fetchers, web: PictureWeb, answer: bytes
) -> None:
    """Broken heads, contradicting lengths and broken chunks are errors, never a guess."""
    with pytest.raises(FetchFailed) as failed:
        fetched(fetcher(respect_robots=False), web, answer)

    assert (failed.value.reason, failed.value.transient) == ("bad_response", True)


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        OK + b"Content-Length: 5\r\nConnection: Keep-Alive, Close\r\n\r\nabcde",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
    ],
)
def test_nothing_follows_an_answer_whose_end_is_in_doubt(
    fetcher: Fetchers, web: PictureWeb, answer: bytes
) -> None:
    """Where another program may see another end, the connection is not used again."""
    downloads = fetcher(respect_robots=False)
    web.routes["/a"] = answer

    for _ in range(3):
        downloads.get(web.url("/a"))

    assert web.connections == 3


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.binary(max_size=300)
    | st.builds(
        lambda head, rest: OK + head + rest, st.binary(max_size=60), st.binary(max_size=300)
    )
)
def test_no_bytes_at_all_break_the_reader(fetcher: Fetchers, web: PictureWeb, data: bytes) -> None:
    """Whatever comes is an answer or a fault of the server."""
    with contextlib.suppress(FetchFailed):
        assert len(fetched(fetcher(respect_robots=False), web, data)) <= len(data)
