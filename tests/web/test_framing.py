"""How answers are framed: what browsers read is read, what could be read in two ways is not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celebcollect.config.sections import HttpConfig, StoreConfig
from celebcollect.web.fetch import Fetcher, FetchFailed
from picture_web import PictureWeb, answer

Fetchers = Callable[..., Fetcher]

STORE = StoreConfig(allow_private_addresses=True, respect_robots=False)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def fetched(fetcher: Fetcher, web: PictureWeb, sent: bytes) -> bytes:
    """Return what a server gives that sends these bytes and closes."""
    web.routes["/a"] = lambda _: iter([sent])
    return fetcher.get(web.url("/a")).data


@pytest.mark.parametrize(
    ("sent", "expected"),
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
    fetcher: Fetchers, web: PictureWeb, sent: bytes, expected: bytes
) -> None:
    """Lengths, chunks, the end of the connection and sloppy spellings are understood."""
    assert fetched(fetcher(respect_robots=False), web, sent) == expected


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


@pytest.mark.parametrize("sent", TWO_WAYS)
def test_what_could_be_read_in_two_ways_is_refused(
    fetcher: Fetchers, web: PictureWeb, sent: bytes
) -> None:
    """Broken heads, contradicting lengths and broken chunks are errors, never a guess."""
    with pytest.raises(FetchFailed) as failed:
        fetched(fetcher(respect_robots=False), web, sent)

    assert (failed.value.reason, failed.value.transient) == ("bad_response", True)


CUT_OFF = CHUNKED + b"3\r\nabc\r\n0\r\n"


@pytest.mark.parametrize("sent", [CUT_OFF, CUT_OFF[:-3], CUT_OFF[:-5], CUT_OFF + b"A: b\r\n"])
def test_chunks_without_their_last_line_count_when_the_picture_is_whole(
    web: PictureWeb, sent: bytes
) -> None:
    """Some servers leave it out, and browsers take that; only the bytes tell what is missing."""
    with closing(Fetcher(STORE, HttpConfig(), is_whole=b"abc".__eq__)) as downloads:
        assert fetched(downloads, web, sent) == b"abc"

    with (
        closing(Fetcher(STORE, HttpConfig(), is_whole=b"abcd".__eq__)) as downloads,
        pytest.raises(FetchFailed) as failed,
    ):
        fetched(downloads, web, sent)
    assert (failed.value.reason, failed.value.transient) == ("bad_response", True)


def test_a_body_shorter_than_announced_is_no_whole_one(web: PictureWeb) -> None:
    """What a server announces it owes us: another try may give all of it."""
    with (
        closing(Fetcher(STORE, HttpConfig(), is_whole=lambda _: True)) as downloads,
        pytest.raises(FetchFailed, match="bad_response"),
    ):
        fetched(downloads, web, OK + b"Content-Length: 4\r\n\r\nabc")


@pytest.mark.parametrize(
    "encoding",
    [
        *("none", "None", "UTF-8", "utf8", "binary", "8bit", "image/jpeg", "aws-chunked", ""),
        *("identity", "IDENTITY", "identity, none", "none, identity", ",", "*"),
    ],
)
def test_an_encoding_that_names_no_compression_is_none(
    fetcher: Fetchers, web: PictureWeb, encoding: str
) -> None:
    """Servers write character sets and media types there; browsers take the bytes as they are."""
    head = OK + b"Content-Encoding: %s\r\nContent-Length: 3\r\n\r\n" % encoding.encode()

    assert fetched(fetcher(respect_robots=False), web, head + b"abc") == b"abc"


@pytest.mark.parametrize("encoding", ["none", "UTF-8"])
def test_rules_under_such_an_encoding_are_read(
    fetcher: Fetchers, web: PictureWeb, encoding: str
) -> None:
    """robots.txt is read like a picture."""
    rules = b"User-agent: *\nDisallow: /a\n"
    web.routes["/robots.txt"] = answer(rules, Content_Encoding=encoding)

    with pytest.raises(FetchFailed, match="robots_disallowed"):
        fetched(fetcher(), web, OK + b"Content-Length: 1\r\n\r\na")


@pytest.mark.parametrize(
    ("status", "content_range", "is_taken"),
    [
        (203, "", True),
        (206, "bytes 0-2/3", True),
        (206, "bytes 0-1/3", False),
        (206, "bytes 1-3/3", False),
        (206, "bytes 0-2/*", False),
        (206, "bytes 0-2/3, bytes 0-2/3", False),
        (206, "pages 0-2/3", False),
        (206, "", False),
        (202, "", False),
        (416, "bytes 0-2/3", False),
    ],
)
def test_an_answer_that_says_it_is_whole_is_taken(
    fetcher: Fetchers, web: PictureWeb, status: int, content_range: str, is_taken: bool
) -> None:
    """203 comes from a proxy; 206 without being asked for a part is whole where its range is."""
    web.routes["/a"] = answer(b"abc", status, Content_Range=content_range)
    downloads = fetcher(respect_robots=False)

    if is_taken:
        assert downloads.get(web.url("/a")).data == b"abc"
    else:
        with pytest.raises(FetchFailed, match="bad_status"):
            downloads.get(web.url("/a"))


def test_a_range_that_is_shorter_than_it_says_is_broken(fetcher: Fetchers, web: PictureWeb) -> None:
    """The size in the range must be that of the body."""
    web.routes["/a"] = answer(b"ab", 206, Content_Range="bytes 0-2/3")

    with pytest.raises(FetchFailed, match="bad_response"):
        fetcher(respect_robots=False).get(web.url("/a"))


@pytest.mark.parametrize(
    "sent",
    [
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        OK + b"Content-Length: 5\r\nConnection: Keep-Alive, Close\r\n\r\nabcde",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
    ],
)
def test_nothing_follows_an_answer_whose_end_is_in_doubt(
    fetcher: Fetchers, web: PictureWeb, sent: bytes
) -> None:
    """Where another program may see another end, the connection is not used again."""
    downloads = fetcher(respect_robots=False)
    web.routes["/a"] = sent

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
    with suppress(FetchFailed):
        assert len(fetched(fetcher(respect_robots=False), web, data)) <= len(data)
