"""What a download gives, and how every way to fail is told."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from celebcollect import __version__
from celebcollect.domain.errors import CelebCollectError
from celebcollect.web.fetch import Fetcher, FetchFailed
from picture_web import PictureWeb, Request, answer, picture, serve

Fetchers = Callable[..., Fetcher]


def failure(fetcher: Fetcher, url: str) -> FetchFailed:
    with pytest.raises(FetchFailed) as failed:
        fetcher.get(url)
    return failed.value


def test_the_bytes_come_as_they_are(fetcher: Fetchers, web: PictureWeb) -> None:
    """Bytes, content type and final URL are handed out unchanged."""
    web.routes["/x.jpg"] = answer(picture(), Content_Type="image/jpeg")

    fetched = fetcher().get(web.url("/x.jpg"))

    assert (fetched.data, fetched.content_type, fetched.final_url) == (
        picture(),
        "image/jpeg",
        web.url("/x.jpg"),
    )


def test_we_say_who_we_are_and_whom_to_write_to(fetcher: Fetchers, web: PictureWeb) -> None:
    """The User-Agent carries program, version and contact; no cookie and no referer is sent."""
    web.routes["/x.jpg"] = answer(picture(), Set_Cookie="a=b")
    downloads = fetcher(contact="me@example.org")
    downloads.get(web.url("/x.jpg"))

    downloads.get(web.url("/x.jpg"))

    sent = web.requests[-1].headers
    assert sent["user-agent"] == f"celebcollect/{__version__} (me@example.org)"
    assert sent["accept-encoding"] == "identity"
    assert not {"cookie", "referer", "authorization"} & sent.keys()


def test_unusual_characters_reach_the_server_escaped(fetcher: Fetchers, web: PictureWeb) -> None:
    """Blanks, letters of other scripts and a fragment are sent as the URL standard says."""
    web.routes["/%C3%A9%20(1).jpg"] = answer(picture())

    fetched = fetcher().get(web.url("/é (1).jpg#top"))

    assert fetched.data == picture()


def test_redirects_are_followed(fetcher: Fetchers, web: PictureWeb) -> None:
    """Relative and absolute targets lead to the picture, and the final URL is told."""
    web.routes["/a"] = answer(status=301, Location="/b/")
    web.routes["/b/"] = answer(status=302, Location="c")
    web.routes["/b/c"] = answer(status=307, Location=web.url("/x.jpg"))
    web.routes["/x.jpg"] = answer(picture())

    fetched = fetcher().get(web.url("/a"))

    assert (fetched.data, fetched.final_url) == (picture(), web.url("/x.jpg"))


def test_a_redirect_may_name_its_target_in_letters_of_any_script(
    fetcher: Fetchers, web: PictureWeb
) -> None:
    """A name that the server did not escape is taken for UTF-8, else its bytes stay as they are."""
    web.routes["/a"] = answer(status=302, Location="/é東.jpg".encode().decode("latin-1"))
    web.routes["/b"] = answer(status=302, Location="/é.jpg")
    web.routes["/%C3%A9%E6%9D%B1.jpg"] = answer(picture(1))
    web.routes["/%E9.jpg"] = answer(picture(2))

    assert fetcher().get(web.url("/a")).data == picture(1)
    assert fetcher().get(web.url("/b")).data == picture(2)


def test_a_circle_of_redirects_ends(fetcher: Fetchers, web: PictureWeb) -> None:
    """More than five redirects are given up."""
    web.routes["/a"] = answer(status=302, Location="/a")

    found = failure(fetcher(), web.url("/a"))

    assert (found.reason, found.transient) == ("too_many_redirects", False)
    assert web.asked("/a") == 6


@pytest.mark.parametrize(
    ("status", "reason", "transient"),
    [
        (204, "bad_status", False),
        (206, "bad_status", False),
        (302, "bad_status", False),
        (304, "bad_status", False),
        (400, "bad_status", False),
        (401, "forbidden", False),
        (403, "forbidden", False),
        (404, "not_found", False),
        (408, "server_error", True),
        (410, "not_found", False),
        (425, "server_error", True),
        (429, "rate_limited", True),
        (451, "forbidden", False),
        (500, "server_error", True),
        (502, "server_error", True),
        (503, "server_error", True),
        (504, "server_error", True),
        (999, "server_error", True),
    ],
)
def test_a_status_tells_whether_another_try_may_help(
    fetcher: Fetchers, web: PictureWeb, status: int, reason: str, transient: bool
) -> None:
    """Each kind of refusal has its reason, and the status is kept as the detail."""
    web.routes["/x.jpg"] = answer(b"" if status in (204, 304) else b"no", status)

    found = failure(fetcher(), web.url("/x.jpg"))

    assert (found.reason, found.detail, found.transient) == (reason, f"HTTP {status}", transient)


@pytest.mark.parametrize(
    ("said", "least_s", "most_s"),
    [
        ("0", 1, 1),
        ("7", 7, 7),
        (timedelta(seconds=3600), 3400, 3600),
        (timedelta(days=-1), 1, 1),
        ("9" * 30, 86_400, 86_400),
    ],
    ids=["none", "seconds", "date", "a date that is past", "for ever"],
)
def test_the_wait_that_a_server_asks_for_is_told(
    fetcher: Fetchers, web: PictureWeb, said: str | timedelta, least_s: float, most_s: float
) -> None:
    """Retry-After is read as seconds and as a date, from one second to a day."""
    if isinstance(said, timedelta):
        said = format_datetime(datetime.now(UTC) + said, usegmt=True)
    web.routes["/x.jpg"] = answer(status=429, Retry_After=said)

    found = failure(fetcher(), web.url("/x.jpg"))

    assert found.retry_after_s is not None
    assert least_s <= found.retry_after_s <= most_s


@pytest.mark.parametrize("said", ["", "soon", "-5", "1.5", "\x00"])
def test_a_wait_that_nobody_understands_is_none(
    fetcher: Fetchers, web: PictureWeb, said: str
) -> None:
    """Nonsense in Retry-After neither fails nor waits."""
    web.routes["/x.jpg"] = (
        answer(status=503, Retry_After=said) if said != "\x00" else answer(status=503)
    )

    assert failure(fetcher(), web.url("/x.jpg")).retry_after_s is None


def test_a_server_that_says_nothing_is_a_timeout(fetcher: Fetchers, web: PictureWeb) -> None:
    """The usual timeout ends a wait for the first byte."""
    web.routes["/x.jpg"] = lambda _: (web.closing.wait(5), b"")[1]

    found = failure(fetcher(timeout_s=0.3), web.url("/x.jpg"))

    assert (found.reason, found.transient) == ("timeout", True)


def test_a_closed_port_is_a_passing_fault(fetcher: Fetchers) -> None:
    """A server that is away may come back."""
    with serve() as gone:
        url = gone.url("/x.jpg")

    found = failure(fetcher(respect_robots=False), url)

    assert (found.reason, found.transient) == ("connection_failed", True)


def test_a_machine_without_connections_is_no_fault_of_the_picture(
    fetcher: Fetchers, web: PictureWeb
) -> None:
    """Too many open files stop the work with a hint; the picture is not counted as failed."""
    web.routes["/x.jpg"] = answer(picture())
    downloads = fetcher(respect_robots=False)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        with pytest.raises(CelebCollectError) as stopped:
            downloads.get(web.url("/x.jpg"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert "ulimit -n" in stopped.value.hint
    assert downloads.get(web.url("/x.jpg")).data == picture()


def test_an_opt_out_is_respected(fetcher: Fetchers, web: PictureWeb) -> None:
    """A picture whose owner wants no machine learning on it is left alone for good."""
    web.routes["/x.jpg"] = answer(picture(), X_Robots_Tag="noai, noimageai")

    found = failure(fetcher(), web.url("/x.jpg"))

    assert (found.reason, found.transient) == ("opted_out", False)


def test_connections_are_used_again(fetcher: Fetchers, web: PictureWeb) -> None:
    """Pictures, redirects and refusals of one host share a connection."""
    web.routes["/x.jpg"] = answer(picture())
    web.routes["/moved"] = answer(status=302, Location="/x.jpg")
    downloads = fetcher()
    for _ in range(3):
        downloads.get(web.url("/x.jpg"))
        downloads.get(web.url("/moved"))

        failure(downloads, web.url("/missing"))

    assert web.connections == 1


def test_a_host_gets_few_connections(fetcher: Fetchers, web: PictureWeb) -> None:
    """However many threads ask, a host sees no more connections than `per_host`."""

    def late(_: Request) -> bytes:
        time.sleep(0.02)
        return answer(picture())

    web.routes["/x.jpg"] = late
    downloads = fetcher(per_host=3, respect_robots=False)
    threads = [threading.Thread(target=downloads.get, args=(web.url("/x.jpg"),)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(web.requests) == 20
    assert web.open_most <= 3
