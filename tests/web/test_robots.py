"""What robots.txt allows us (RFC 9309), and what a fetcher does with it."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celebcollect.web.fetch import Fetcher, FetchFailed
from celebcollect.web.robots import ALLOW_ALL, MAX_BYTES, RobotsCache, RobotsRules, parse
from picture_web import PictureWeb, Request, answer, picture

OURS = "User-agent: CelebCollect\n"


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/x.jpg", True),
        ("User-agent: *\nDisallow:\n", "/x.jpg", True),
        ("User-agent: *\nDisallow: /\n", "/x.jpg", False),
        ("User-agent: *\nDisallow: /\n", "/robots.txt", True),
        ("user-agent: *\ndisallow: /private\n", "/private/x.jpg", False),
        ("User-agent: *\nDisallow: /private/\n", "/private", True),
        ("User-agent: *\nDisallow: /\nAllow: /img/\n", "/img/x.jpg", True),
        ("User-agent: *\nAllow: /img/\nDisallow: /img/\n", "/img/x.jpg", True),
        ("User-agent: *\nAllow: /img\nDisallow: /img/secret\n", "/img/secret/x", False),
        ("User-agent: *\nDisallow: /*.gif$\n", "/a/b.gif", False),
        ("User-agent: *\nDisallow: /*.gif$\n", "/a/b.gif?x", True),
        ("User-agent: *\nDisallow: /a*b*c\n", "/a1b2c3", False),
        ("User-agent: *\nDisallow: /a*b*c\n", "/acb", True),
        ("User-agent: *\nDisallow: /*?size=\n", "/x.jpg?size=1", False),
        ("User-agent: *\nDisallow: /caf%C3%A9\n", "/café", False),
        ("User-agent: *\nDisallow: /café\n", "/caf%c3%a9", False),
        ("User-agent: *\nDisallow: /a%7Eb\n", "/a~b", False),
        ("User-agent: *\nDisallow: /a%2Ab\n", "/a*b", False),
        ("User-agent: otherbot\nDisallow: /\n", "/x.jpg", True),
        (OURS + "Disallow: /x\nUser-agent: *\nDisallow: /\n", "/y.jpg", True),
        ("User-agent: *\nDisallow: /\n" + OURS + "Allow: /\n", "/y.jpg", True),
        (OURS + "User-agent: other\nDisallow: /x\n", "/x", False),
        (
            OURS + "Disallow: /x\nUser-agent: other\nDisallow: /y\n" + OURS + "Disallow: /z\n",
            "/z",
            False,
        ),
        ("User-agent: celebcollect/0.1\nDisallow: /x\n", "/x", False),
        ("User-agent: celebcollector\nDisallow: /x\n", "/x", True),
        (OURS + "\n", "/x", True),
        ("User-agent: *\nCrawl-delay: 5\nDisallow: /x # why not\n", "/x", False),
        ("Disallow: /x\nUser-agent: *\nAllow: /\n", "/x", True),
        ("\ufeffUser-agent: *\nDisallow: /x\n", "/x", False),
        ("User-agent: *\rDisallow: /x\r", "/x", False),
        ("<html>User-agent: nobody</html>", "/x", True),
        ("User-agent: *\nDisallow: \x00\nDisallow: /x\n", "/x", False),
    ],
)
def test_rules_are_read_as_the_standard_says(text: str, path: str, allowed: bool) -> None:
    """Groups, longest match, wildcards, ends, escapes and our own name work as RFC 9309 says."""
    assert parse(text.encode()).allows("http://example.com" + path) is allowed


def test_hostile_rules_take_no_time() -> None:
    """Half a megabyte of wildcards answers quickly, and so do random bytes."""
    pattern = "Disallow: /" + "*a" * 900 + "*b\n"
    rules = parse(("User-agent: *\n" + pattern * 1000).encode())
    begun = time.process_time()

    rules.allows("http://example.com/" + "a" * 8000)

    assert time.process_time() - begun < 2
    assert parse(bytes(range(256)) * 2000).allows("http://example.com/x")


@pytest.mark.parametrize("name", ["bot{}", "celebcollect{}", "*{}"])
def test_thousands_of_names_above_thousands_of_rules_take_little_memory(name: str) -> None:
    """The parser keeps each rule once for a few names, not once for each."""
    names = "".join(f"User-agent: {name.format(n)}\n" for n in range(10_000))
    tracemalloc.start()

    rules = parse((names + "User-agent: *\n" + "Disallow: /x\n" * 10_000).encode())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 80_000_000
    assert name != "bot{}" or not rules.allows("http://example.com/x")


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        # RFC 9309 knows one spelling of each directive; the owner's will is clear all the same.
        ("User-agent *\nDissalow: /x\n", "/x", False),
        # As Google does: whoever allows the index page allows the folder.
        ("User-agent: *\nDisallow: /\nAllow: /a/index.html\n", "/a/", True),
        # RFC 9309, section 2.2.1 leaves out rules for a name that only begins like ours.
        ("User-agent: celeb\nDisallow: /x\n", "/x", True),
        # A version that is not ours addresses another program; the RFC would cut it off.
        ("User-agent: celebcollect/999\nDisallow: /x\n", "/x", True),
        # A `$` at the end of a pattern also stands for itself.
        ("User-agent: *\nDisallow: /x$\n", "/x$", False),
    ],
)
def test_where_protego_is_not_the_standard(text: str, path: str, allowed: bool) -> None:
    """A change of one of these is a change of our behaviour, so a new version must show it."""
    assert parse(text.encode()).allows("http://example.com" + path) is allowed


@given(st.text(max_size=200), st.text(max_size=50))
def test_no_text_at_all_breaks_the_parser(text: str, path: str) -> None:
    """Whatever a host sends is rules or none."""
    url = "http://example.com/" + quote(path, safe="/?#&=%*$", errors="replace")

    parse(f"User-agent: *\nDisallow: {text}".encode("utf-8", "replace")).allows(url)


def test_what_follows_after_500_kilobytes_is_left_aside() -> None:
    """The limit of the standard keeps memory small."""
    filler = b"#" * MAX_BYTES + b"\n"

    assert parse(filler + b"User-agent: *\nDisallow: /\n").allows("http://example.com/x")


def test_many_workers_ask_once() -> None:
    """Workers that turn to a new host at once share one request."""
    asked = []
    both = threading.Barrier(4)

    def ask(url: str) -> RobotsRules:
        asked.append(url)
        time.sleep(0.05)
        return ALLOW_ALL

    cache = RobotsCache(ask)

    def work() -> None:
        both.wait(5)
        cache.rules("https://example.com")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert asked == ["https://example.com/robots.txt"]


def failure(fetcher: Fetcher, url: str) -> FetchFailed:
    with pytest.raises(FetchFailed) as failed:
        fetcher.get(url)
    return failed.value


def test_a_disallowed_picture_is_not_asked_for(
    fetcher: Callable[..., Fetcher], web: PictureWeb
) -> None:
    """The rules are asked for once, and what they forbid never reaches the server."""
    web.routes["/robots.txt"] = answer(b"User-agent: *\nDisallow: /private/\n")
    web.routes["/x.jpg"] = answer(picture())
    downloads = fetcher()
    downloads.get(web.url("/x.jpg"))

    found = failure(downloads, web.url("/private/x.jpg"))

    assert (found.reason, found.transient) == ("robots_disallowed", False)
    assert [request.path for request in web.requests] == ["/robots.txt", "/x.jpg"]


def test_the_setting_switches_the_question_off(
    fetcher: Callable[..., Fetcher], web: PictureWeb
) -> None:
    """With `respect_robots` off nobody is asked."""
    web.routes["/robots.txt"] = answer(b"User-agent: *\nDisallow: /\n")
    web.routes["/x.jpg"] = answer(picture())

    fetcher(respect_robots=False).get(web.url("/x.jpg"))

    assert web.asked("/robots.txt") == 0


def test_the_target_of_a_redirect_is_asked_too(
    fetcher: Callable[..., Fetcher], web: PictureWeb
) -> None:
    """A redirect is no way around the rules."""
    web.routes["/robots.txt"] = answer(b"User-agent: *\nDisallow: /private/\n")
    web.routes["/x.jpg"] = answer(status=302, Location="/private/x.jpg")

    assert failure(fetcher(), web.url("/x.jpg")).reason == "robots_disallowed"
    assert web.asked("/private/x.jpg") == 0


@pytest.mark.parametrize(
    "path",
    [
        "/a/../private/x.jpg",
        "/./private/x.jpg",
        "/%2e%2e/private/x.jpg",
        "//../private/x.jpg",
        "/a/b/../../private/",
    ],
)
def test_dot_segments_are_no_way_around_the_rules(
    fetcher: Callable[..., Fetcher], web: PictureWeb, path: str
) -> None:
    """The rules see the path that the server will see."""
    web.routes["/robots.txt"] = answer(b"User-agent: *\nDisallow: /private/\n")

    assert failure(fetcher(), web.url(path)).reason == "robots_disallowed"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_host_without_rules_allows_everything(
    fetcher: Callable[..., Fetcher], web: PictureWeb, status: int
) -> None:
    """4xx means that there are none (RFC 9309, section 2.3.1.3)."""
    web.routes["/robots.txt"] = answer(status=status)
    web.routes["/x.jpg"] = answer(picture())

    assert fetcher().get(web.url("/x.jpg")).data == picture()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_while_nobody_can_know_the_rules_nothing_is_fetched(
    fetcher: Callable[..., Fetcher], web: PictureWeb, status: int
) -> None:
    """5xx means to stay away for now (RFC 9309, section 2.3.1.4)."""
    web.routes["/robots.txt"] = answer(status=status)

    found = failure(fetcher(), web.url("/x.jpg"))

    assert (found.reason, found.transient) == ("robots_unreachable", True)
    assert web.asked("/x.jpg") == 0


def test_rules_behind_a_redirect_count(fetcher: Callable[..., Fetcher], web: PictureWeb) -> None:
    """Redirects of robots.txt are followed, and too many of them mean that there are no rules."""
    web.routes["/robots.txt"] = answer(status=301, Location="/other.txt")
    web.routes["/other.txt"] = answer(b"User-agent: *\nDisallow: /\n")

    assert failure(fetcher(), web.url("/x.jpg")).reason == "robots_disallowed"


def test_endless_redirects_of_the_rules_mean_that_there_are_none(
    fetcher: Callable[..., Fetcher], web: PictureWeb
) -> None:
    """More than five redirects may be taken as unavailable (RFC 9309, section 2.3.1.2)."""
    web.routes["/robots.txt"] = answer(status=301, Location="/robots.txt?")
    web.routes["/x.jpg"] = answer(picture())

    assert fetcher().get(web.url("/x.jpg")).data == picture()


def test_endless_rules_are_read_as_far_as_the_limit(
    fetcher: Callable[..., Fetcher], web: PictureWeb
) -> None:
    """A robots.txt without an end holds nobody up, and its beginning counts."""

    def endless(_: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: /private/\n"
        while not web.closing.is_set():
            yield b"#" * 65_536

    web.routes["/robots.txt"] = endless
    web.routes["/x.jpg"] = answer(picture())

    assert fetcher().get(web.url("/x.jpg")).data == picture()
    assert failure(fetcher(), web.url("/private/x.jpg")).reason == "robots_disallowed"
