"""Servers that send too much, too slowly, or nonsense."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable, Iterator

import pytest

from celebcollect.web.fetch import Fetcher, FetchFailed
from picture_web import PictureWeb, Request, Route, answer, picture

Fetchers = Callable[..., Fetcher]


def failure(fetcher: Fetcher, url: str) -> FetchFailed:
    with pytest.raises(FetchFailed) as failed:
        fetcher.get(url)
    return failed.value


BIG = 100_000


def chunked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for piece in pieces:
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def endless(piece: bytes = b"x" * 65_536) -> Iterator[bytes]:
    while True:
        yield piece


# Packed once: a busy machine takes seconds for it, which a fetcher does not wait.
GZIP_BOMB = gzip.compress(b"\0" * 50_000_000, 1)
DEFLATE_BOMB = zlib.compress(b"\0" * 50_000_000, 1)

TOO_LARGE: dict[str, Route] = {
    "announced": lambda _: answer(b"x" * (BIG + 1)),
    "announced with a lie": lambda _: iter([answer(b"x" * 10, length=10**18)]),
    "without a length": lambda _: iter(
        [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", *([b"x" * 50_000] * 3)]
    ),
    "in chunks": lambda _: chunked(iter([b"x" * 50_000] * 3)),
    "endless": lambda _: (
        piece for part in ([b"HTTP/1.1 200 OK\r\n\r\n"], endless()) for piece in part
    ),
    "endless chunks": lambda _: chunked(endless()),
    "a gzip bomb": lambda _: answer(GZIP_BOMB, Content_Encoding="gzip"),
    "a deflate bomb": lambda _: answer(DEFLATE_BOMB, Content_Encoding="deflate"),
    "endless headers": lambda _: (
        piece
        for part in ([b"HTTP/1.1 200 OK\r\n"], endless(b"X-A: " + b"x" * 900 + b"\r\n"))
        for piece in part
    ),
    "endless interim answers": lambda _: endless(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1000
    ),
}


@pytest.mark.parametrize("how", TOO_LARGE)
def test_nobody_sends_more_than_we_want(fetcher: Fetchers, web: PictureWeb, how: str) -> None:
    """The cap holds while streaming, whatever the headers say, and after decompression."""
    web.routes["/x.jpg"] = TOO_LARGE[how]

    found = failure(fetcher(max_bytes=BIG), web.url("/x.jpg"))

    # Heads without an end are a fault of the protocol before they are too many bytes.
    assert found.reason == (
        "bad_response" if how in ("endless headers", "endless interim answers") else "too_large"
    )


def test_early_hints_before_the_answer_are_read_over(fetcher: Fetchers, web: PictureWeb) -> None:
    """An interim answer (103) is not the answer."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    web.routes["/x.jpg"] = hints * 2 + answer(picture(), Content_Type="image/jpeg")

    assert fetcher().get(web.url("/x.jpg")).data == picture()


def test_a_picture_of_exactly_the_cap_is_taken(fetcher: Fetchers, web: PictureWeb) -> None:
    """The limit itself is allowed."""
    web.routes["/x.jpg"] = answer(b"x" * BIG)

    assert len(fetcher(max_bytes=BIG).get(web.url("/x.jpg")).data) == BIG


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "GZIP", "identity"])
def test_compression_that_nobody_asked_for_is_undone(
    fetcher: Fetchers, web: PictureWeb, encoding: str
) -> None:
    """Some servers compress pictures all the same."""
    packers: dict[str, Callable[[bytes], bytes]] = {"deflate": zlib.compress, "identity": bytes}
    pack = packers.get(encoding, gzip.compress)
    web.routes["/x.jpg"] = answer(pack(picture()), Content_Encoding=encoding)

    assert fetcher().get(web.url("/x.jpg")).data == picture()


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [0, 1, 1_048_576, 1_048_577, 3_000_000])
def test_room_is_asked_for_when_a_body_proves_to_be_large(
    fetcher: Fetchers, web: PictureWeb, size: int, chunked: bool, encoding: str
) -> None:
    """Each megabyte beyond the first, however the body comes; and not a byte is lost."""
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    packed = gzip.compress(body) if encoding == "gzip" else body
    whole = answer(packed, Content_Encoding=encoding)
    if chunked:
        whole = (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: %s\r\n\r\n"
            % encoding.encode()
        )
        whole += (b"%x\r\n%s\r\n" % (len(packed), packed) if packed else b"") + b"0\r\n\r\n"
    web.routes["/x"] = whole
    asked: list[tuple[int, int]] = []
    if size == 0 and (chunked or encoding == "gzip"):
        assert failure(fetcher(), web.url("/x")).reason == "bad_response"
        return

    got = fetcher(max_bytes=3_000_000).get(web.url("/x"), lambda *room: asked.append(room))

    most = 3_000_000 if chunked or encoding == "gzip" else size
    assert got.data == body
    assert asked == [
        (min(megabytes * 1_048_576, most), most)
        for megabytes in range(2, -(-size // 1_048_576) + 1)
    ]


BROKEN: dict[str, tuple[Route, str]] = {
    "unknown compression": (lambda _: answer(b"x", Content_Encoding="br"), "unsupported_encoding"),
    "compression twice": (
        lambda _: answer(b"x", Content_Encoding="gzip, gzip"),
        "unsupported_encoding",
    ),
    "broken gzip": (lambda _: answer(b"not gzip at all", Content_Encoding="gzip"), "bad_response"),
    "gzip cut off": (
        lambda _: answer(gzip.compress(picture())[:-9], Content_Encoding="gzip"),
        "bad_response",
    ),
    "body shorter than announced": (
        lambda _: iter([answer(picture()[:-50], length=len(picture()))]),
        "bad_response",
    ),
    "a chunk cut off": (
        lambda _: iter([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n500\r\nabc"]),
        "bad_response",
    ),
    "a chunk size that is none": (
        lambda _: iter(
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n"]
        ),
        "bad_response",
    ),
    "no HTTP at all": (lambda _: iter([b"SSH-2.0-OpenSSH_9.2\r\n"]), "bad_response"),
    "silence": (lambda _: iter([]), "connection_failed"),
    "two lengths": (
        lambda _: iter([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde"]),
        "bad_response",
    ),
    "a negative length": (
        lambda _: iter([b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"]),
        "bad_response",
    ),
    "a header without a colon": (
        lambda _: iter([b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"]),
        "bad_response",
    ),
    "headers without an end": (lambda _: iter([b"HTTP/1.1 200 OK\r\nA: b\r\n"]), "bad_response"),
    "a header of a megabyte": (
        lambda _: iter([b"HTTP/1.1 200 OK\r\nA: " + b"b" * 1_000_000 + b"\r\n\r\n"]),
        "bad_response",
    ),
    "a body in crumbs": (
        lambda _: iter(
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 100_001]
        ),
        "bad_response",
    ),
    "another coding": (
        lambda _: iter([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"]),
        "bad_response",
    ),
    "a status that is none": (lambda _: iter([b"HTTP/1.1 abc OK\r\n\r\n"]), "bad_response"),
    "a switch of protocol": (
        lambda _: iter([b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"]),
        "bad_response",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_answer_is_told(fetcher: Fetchers, web: PictureWeb, how: str) -> None:
    """Nothing of a broken answer is taken for a picture, and nothing crashes."""
    web.routes["/x.jpg"], reason = BROKEN[how]

    assert failure(fetcher(), web.url("/x.jpg")).reason == reason


def dripping(head: bytes, piece: bytes) -> Callable[[object], Iterator[bytes]]:
    def drip(_: object) -> Iterator[bytes]:
        yield head
        stop = time.monotonic() + 60
        while time.monotonic() < stop:
            yield piece
            time.sleep(0.02)

    return drip


def late_redirect(request: Request) -> bytes:
    time.sleep(0.15)
    return answer(status=302, Location=request.path + "?")


SLOW: dict[str, Route] = {
    "a body that drips": dripping(answer(b"", length=100_000), b"x"),
    "headers that drip": dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
    "chunks that drip": dripping(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"
    ),
    "redirects that drip": late_redirect,
}


@pytest.mark.parametrize("how", SLOW)
def test_a_server_that_drips_does_not_hold_us(fetcher: Fetchers, web: PictureWeb, how: str) -> None:
    """The time for one picture is limited as a whole, although every single byte comes in time."""
    web.routes["/x.jpg"] = SLOW[how]
    begun = time.monotonic()

    found = failure(fetcher(picture_timeout_s=0.4), web.url("/x.jpg"))

    assert (found.reason, found.transient) == ("timeout", True)
    assert time.monotonic() - begun < 20  # it drips for a minute
