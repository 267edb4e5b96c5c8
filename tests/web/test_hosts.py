"""Hosts that are not well are left alone, and no host gets more connections than it should."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from celebcollect.web.budget import FetchBudget
from celebcollect.web.fetch import Fetcher, FetchFailed
from celebcollect.web.hosts import Hosts
from celebcollect.web.request_target import request_target
from picture_web import PictureWeb, answer, picture, serve


def test_a_dead_host_is_asked_no_more(fetcher: Callable[..., Fetcher], web: PictureWeb) -> None:
    """After eight failures nothing reaches the host; another host is not affected."""
    web.routes |= {f"/{n}": answer(status=500) for n in range(12)}
    web.routes["/good"] = answer(picture())
    downloads = fetcher(respect_robots=False)
    reasons = []
    for n in range(12):
        with pytest.raises(FetchFailed) as failed:
            downloads.get(web.url(f"/{n}"))
        reasons.append(failed.value.reason)

    assert reasons == ["server_error"] * 8 + ["host_resting"] * 4
    assert len(web.requests) == 8
    assert downloads.get(web.url("/good", "localhost")).data == picture()


def test_missing_pictures_do_not_make_a_host_rest(
    fetcher: Callable[..., Fetcher], web: PictureWeb
) -> None:
    """404 is the fault of a URL, not of its host."""
    downloads = fetcher()
    for n in range(20):
        with pytest.raises(FetchFailed) as failed:
            downloads.get(web.url(f"/{n}"))

        assert failed.value.reason == "not_found"


def test_after_a_retry_after_the_host_is_left_alone(
    fetcher: Callable[..., Fetcher], web: PictureWeb
) -> None:
    """One 429 speaks for the whole host."""
    web.routes["/a"] = answer(status=429, Retry_After="30")
    web.routes["/b"] = answer(picture())
    downloads = fetcher()
    with pytest.raises(FetchFailed):
        downloads.get(web.url("/a"))

    with pytest.raises(FetchFailed) as failed:
        downloads.get(web.url("/b"))

    assert failed.value.reason == "host_resting"
    assert 28 < (failed.value.retry_after_s or 0) <= 30
    assert web.asked("/b") == 0


def test_connections_of_hosts_that_are_done_with_are_closed() -> None:
    """However many hosts are visited, few connections stay open; the one in use stays."""
    many = Hosts(per_host=2, allow_private=True)
    with serve("0.0.0.0") as web:
        web.routes["/a"] = answer(b"x")

        def visit(host: str, path: str = "/a") -> None:
            assert body_of(many, web.url(path, host), budget(60)) == b"x"

        def visit_others(_: object) -> bytes:
            for n in range(2, 202):
                visit(f"127.0.0.{n}")
            return answer(b"x")

        web.routes["/held"] = visit_others
        visit("127.0.0.1", "/held")
        visit("127.0.0.1")

        assert web.connections == 201
        wait_until(lambda: web.open_now <= 70)
        many.close()
        wait_until(lambda: web.open_now == 0)


def test_who_finds_no_free_connection_in_time_goes_away(web: PictureWeb) -> None:
    """Waiting for a slot is part of the time of a picture."""
    busy = Hosts(per_host=1, allow_private=True)
    reached, done = threading.Event(), threading.Event()

    def late(_: object) -> bytes:
        reached.set()
        done.wait(5)
        return answer(b"x")

    web.routes["/a"] = late
    thread = threading.Thread(target=body_of, args=(busy, web.url("/a")))
    thread.start()
    assert reached.wait(5)

    with pytest.raises(FetchFailed) as failed:
        body_of(busy, web.url("/a"), budget(0.1))

    assert failed.value.reason == "timeout"
    done.set()
    thread.join(5)
    busy.close()


def test_a_connection_that_the_server_closed_meanwhile_is_replaced(web: PictureWeb) -> None:
    """Whoever uses a connection that the server has just closed gets a new one and no error."""
    some = Hosts(per_host=2, allow_private=True)
    web.routes["/last"] = lambda _: iter([answer(b"x")])
    web.routes["/a"] = answer(b"x")

    for path in ("/a", "/last", "/last", "/a"):
        assert body_of(some, web.url(path)) == b"x"

    assert 3 <= web.connections <= 4
    some.close()


def test_a_connection_that_breaks_at_once_is_a_fault_of_the_host(web: PictureWeb) -> None:
    """A new connection without an answer is not tried for ever."""
    some = Hosts(per_host=2, allow_private=True)
    web.routes["/a"] = lambda _: iter([])

    with pytest.raises(FetchFailed) as failed:
        body_of(some, web.url("/a"))

    assert failed.value.transient
    assert web.asked("/a") == 1
    some.close()


def test_what_a_server_says_unasked_is_never_taken_for_an_answer(web: PictureWeb) -> None:
    """Bytes behind an answer do not become the beginning of the next one."""
    some = Hosts(per_host=2, allow_private=True)
    web.routes["/a"] = lambda _: answer(b"x") + answer(b"smuggled")
    web.routes["/b"] = answer(b"real")
    for path, expected in (("/a", b"x"), ("/b", b"real"), ("/a", b"x"), ("/b", b"real")):
        assert body_of(some, web.url(path)) == expected
    some.close()


def test_what_a_server_says_later_and_unasked_ends_the_connection(web: PictureWeb) -> None:
    """Bytes that come while a connection is idle are no answer to the next request."""
    some = Hosts(per_host=2, allow_private=True)
    said = threading.Event()

    def late(_: object) -> Iterator[bytes]:
        yield answer(b"x")
        yield answer(b"smuggled")
        said.set()
        web.closing.wait(5)

    web.routes["/a"] = late
    web.routes["/b"] = answer(b"real")
    assert body_of(some, web.url("/a")) == b"x"
    assert said.wait(5)

    assert body_of(some, web.url("/b")) == b"real"
    some.close()


def body_of(hosts: Hosts, url: str, within: FetchBudget | None = None) -> bytes:
    """Ask for a URL and return what comes."""
    pieces: list[bytes] = []
    hosts.ask(request_target(url), {}, within or budget(), lambda _: pieces.append)
    return b"".join(pieces)


def budget(time_s: float = 5) -> FetchBudget:
    return FetchBudget.of(time_s=time_s, max_bytes=10_000, timeout_s=time_s)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
