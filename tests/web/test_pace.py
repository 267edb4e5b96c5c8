"""A host that says stop is left alone, longer each time, and asked freely when it is well again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from celebcollect.web import pace as paces
from celebcollect.web.fetch import Fetcher, FetchFailed
from celebcollect.web.pace import Pace, Patience
from celebcollect.web.reasons import FetchReason
from picture_web import PictureWeb, answer, picture
from web.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(paces, "time", moved)
    return moved


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(Patience(120))


def stop(after_s: float | None = None, *, doubtful: bool = False) -> FetchFailed:
    """Return what a host says that wants to be left alone."""
    return FetchFailed(
        FetchReason.RATE_LIMITED, retry_after_s=after_s, said_stop=True, is_doubtful=doubtful
    )


def refuse(pace: Pace, url: str, failure: FetchFailed) -> FetchFailed:
    """Let one request meet a refusal."""
    pause = pace.enter("a")
    pace.refused(failure, url, pause)
    pace.leave()
    return failure


def give(pace: Pace, count: int = 1) -> None:
    """Let requests be answered, one after another."""
    for _ in range(count):
        pace.enter("a")
        pace.answered()
        pace.leave()


def resting_s(pace: Pace) -> float:
    """Return for how long the host is left alone, 0 when it may be asked."""
    try:
        pace.enter("a")
    except FetchFailed as failure:
        return failure.retry_after_s or 0
    pace.leave()
    return 0


def test_each_pause_is_twice_as_long_up_to_ten_minutes(pace: Pace, clock: Clock) -> None:
    """A host that names no time is asked once after 10, 20, 40, ... 600 seconds."""
    pauses = []
    for n in range(9):
        pauses.append(refuse(pace, f"{n}", stop()).retry_after_s)
        assert resting_s(pace) == pauses[-1]
        clock.now += pauses[-1] or 0

    assert pauses == [10, 20, 40, 80, 160, 320, 600, 600, 600]


def test_refusals_of_requests_that_were_under_way_together_are_one(pace: Pace) -> None:
    """Four connections that hear 429 at once do not make four steps of it."""
    under_way = [pace.enter("a") for _ in range(4)]

    for n, pause in enumerate(under_way):
        pace.refused(stop(), f"{n}", pause)
        pace.leave()

    assert 9 < resting_s(pace) <= 10


def test_after_a_pause_one_tries_and_each_answer_lets_one_more_in(pace: Pace, clock: Clock) -> None:
    """The others are told to look again in a moment."""
    refuse(pace, "1", stop())
    clock.now += 10
    pace.enter("a")
    assert 0 < resting_s(pace) < 1
    pace.answered()
    pace.leave()

    pace.enter("a")
    pace.enter("a")

    assert 0 < resting_s(pace) < 1


def test_answers_in_a_row_live_refusals_down(pace: Pace, clock: Clock) -> None:
    """Ten for each step; then as many as before may ask at once."""
    for n in range(2):
        refuse(pace, f"{n}", stop())
        clock.now += 1000
    give(pace, 10)
    assert refuse(pace, "2", stop()).retry_after_s == 20
    clock.now += 1000

    give(pace, 20)

    assert [pace.enter("a") for _ in range(50)]
    pace.refused(stop(), "x", 3)
    assert resting_s(pace) == 10


def test_a_host_that_alternates_gets_pauses_that_grow(pace: Pace, clock: Clock) -> None:
    """One answer between two refusals is no recovery."""
    pauses = []
    for n in range(5):
        pauses.append(refuse(pace, f"{n}", stop()).retry_after_s)
        clock.now += pauses[-1] or 0
        give(pace)

    assert pauses == [10, 20, 40, 80, 160]


def test_a_named_time_is_kept_to_and_grows_when_it_does_not_help(pace: Pace, clock: Clock) -> None:
    """Retry-After: 1 is a second the first time; who then refuses again gets our own pauses."""
    pauses = []
    for n, asked_s in enumerate((1, 1, 1, 3600)):
        pauses.append(refuse(pace, f"{n}", stop(asked_s)).retry_after_s)
        clock.now += pauses[-1] or 0

    assert pauses == [1, 20, 40, 3600]


def test_a_run_waits_for_a_host_only_so_long(pace: Pace, clock: Clock) -> None:
    """10, 20 and 40 seconds are within 120 in an hour, another 80 are not."""
    waited = []
    for n in range(4):
        waited.append(refuse(pace, f"{n}", stop()).in_this_run)
        clock.now += 160
    assert waited == [True, True, True, False]

    clock.now += 3601

    assert not refuse(pace, "x", stop(121)).in_this_run, "longer than a run waits at all"
    patience = Patience(120)
    assert [patience.grant(60), patience.grant(61), patience.grant(60)] == [True, False, True]


def test_one_503_says_nothing_about_its_host(pace: Pace) -> None:
    """However often the same URL is tried; three URLs in a row mean the host."""
    for _ in range(20):
        assert not refuse(pace, "same", stop(doubtful=True)).said_stop
    give(pace)
    assert not refuse(pace, "1", stop(doubtful=True)).said_stop
    assert not refuse(pace, "2", stop(doubtful=True)).said_stop
    assert resting_s(pace) == 0

    assert refuse(pace, "3", stop(doubtful=True)).said_stop

    assert resting_s(pace) == 10


def test_a_503_that_names_a_time_rests_the_host_for_it(pace: Pace, clock: Clock) -> None:
    """An answer that comes in meanwhile changes nothing about it."""
    under_way = pace.enter("a")
    refuse(pace, "1", stop(20, doubtful=True))
    pace.answered()
    pace.leave()
    assert under_way == 0

    clock.now += 19

    assert resting_s(pace) == 1
    clock.now += 1
    assert resting_s(pace) == 0


CHALLENGE = b"<html><span>Error</span> <span class='code'>1015</span> You are being rate limited"


@pytest.mark.parametrize(
    ("refusal", "detail"),
    [
        (answer(status=429), "HTTP 429"),
        (answer(status=420), "HTTP 420"),
        (answer(status=509), "HTTP 509"),
        (answer(status=529), "HTTP 529"),
        (answer(status=999), "HTTP 999"),
        (answer(status=403, Cf_Mitigated="challenge"), "HTTP 403, cf-mitigated: challenge"),
        (answer(status=403, Retry_After="3600"), "HTTP 403, Retry-After"),
        (answer(CHALLENGE, 403, Server="cloudflare"), "HTTP 403, error 1015"),
        (answer(b"error code: 1015", 403, Server="cloudflare"), "HTTP 403, error 1015"),
        (answer(b"", 202, X_Amzn_Waf_Action="challenge"), "HTTP 202, x-amzn-waf-action: challenge"),
        (answer(b"", 405, X_Amzn_Waf_Action="captcha"), "HTTP 405, x-amzn-waf-action: captcha"),
    ],
)
def test_every_way_to_say_stop_is_understood(
    fetcher: Callable[..., Fetcher], web: PictureWeb, refusal: bytes, detail: str
) -> None:
    """The host is left alone, and the picture is not given up."""
    web.routes |= {"/a": refusal, "/b": answer(picture())}
    downloads = fetcher(respect_robots=False)
    with pytest.raises(FetchFailed) as failed:
        downloads.get(web.url("/a"))
    assert (failed.value.detail, failed.value.transient, failed.value.said_stop) == (
        detail,
        True,
        True,
    )

    with pytest.raises(FetchFailed) as failed:
        downloads.get(web.url("/b"))

    assert (failed.value.reason, web.asked("/b")) == ("host_resting", 0)
    assert downloads.get(web.url("/b", "localhost")).data == picture(), "another host, one address"


@pytest.mark.parametrize(
    "refusal",
    [
        answer(status=403),
        answer(b"<p>Sorry</p>", 403, Server="cloudflare"),
        answer(b"room 1015", 403, Server="cloudflare"),
        answer(CHALLENGE, 403, Server="nginx"),
    ],
)
def test_an_ordinary_refusal_is_about_its_url(
    fetcher: Callable[..., Fetcher], web: PictureWeb, refusal: bytes
) -> None:
    """403 of one picture leaves the others of its host alone."""
    web.routes |= {"/a": refusal, "/b": answer(picture())}
    downloads = fetcher(respect_robots=False)

    with pytest.raises(FetchFailed) as failed:
        downloads.get(web.url("/a"))

    assert (failed.value.reason, failed.value.said_stop) == ("forbidden", False)
    assert downloads.get(web.url("/b")).data == picture()


@pytest.mark.parametrize("status", [420, 429])
def test_a_host_that_says_stop_to_robots_txt_rests_too(
    fetcher: Callable[..., Fetcher], web: PictureWeb, status: int
) -> None:
    """Its rules are asked for once, not once for each picture."""
    web.routes["/robots.txt"] = answer(status=status)
    downloads = fetcher()
    reasons = []
    for n in range(5):
        with pytest.raises(FetchFailed) as failed:
            downloads.get(web.url(f"/{n}"))
        reasons.append(failed.value.reason)

    assert reasons == ["robots_unreachable", *["host_resting"] * 4]
    assert len(web.requests) == 1


def test_a_site_is_one_with_and_without_www(
    fetcher: Callable[..., Fetcher], web: PictureWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who says stop as www.example.org is not asked as example.org instead."""
    here = addresses_of(web)
    monkeypatch.setattr("celebcollect.web.guard.socket.getaddrinfo", lambda *_, **__: here)
    web.routes["/a"] = answer(status=429)
    downloads = fetcher(respect_robots=False)
    with pytest.raises(FetchFailed):
        downloads.get(web.url("/a", "www.example.org"))

    with pytest.raises(FetchFailed) as failed:
        downloads.get(web.url("/b", "example.org"))

    assert failed.value.reason == "host_resting"
    assert len(web.requests) == 1


def addresses_of(web: PictureWeb) -> list[tuple[object, ...]]:
    """Return what the resolver says when every name leads to the test's server."""
    return [(2, 1, 6, "", (web.host, web.port))]
