"""What a fetcher does with robots.txt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from celebcollect.web.fetch import Fetcher, FetchFailed
from celebcollect.web.robots import ALLOW_ALL, RobotsCache, RobotsRules
from picture_web import PictureWeb, Request, answer, picture


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
