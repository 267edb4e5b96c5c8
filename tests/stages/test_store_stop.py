"""Hosts that say stop: few requests, other hosts at full speed, an end, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from celebcollect.domain.records import Status, now
from celebcollect.web import pace
from picture_web import PictureWeb, Pieces, Request, answer, picture, serve
from stages.storing import VERIFIED, Bench, candidate

pytestmark = pytest.mark.slow

BAD, GOOD = "127.0.0.2", "127.0.0.3"
COUNT = 120


@pytest.fixture
def web() -> Iterator[PictureWeb]:
    with serve("0.0.0.0") as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A folder in which pauses and what a run waits for are a twentieth: 0.5, 1 and 2 s of 6."""
    monkeypatch.setattr(pace, "FIRST_PAUSE_S", 0.5)
    opened = Bench(tmp_path, host_wait_s=6, min_side_px=1)
    yield opened
    opened.close()


Refusal = Callable[[Request], Pieces]


def refusing(web: PictureWeb, refuse: Refusal) -> None:
    """Let one of two hosts refuse pictures, and the other one give them."""

    def respond(request: Request) -> Pieces:
        is_bad = request.headers["host"].startswith(BAD)
        return refuse(request) if is_bad else answer(picture(int(request.path[1:]) % 5))

    web.routes = {f"/{n}": respond for n in range(COUNT)}


def offer(bench: Bench, web: PictureWeb) -> None:
    """Offer as many pictures of either host, in turn."""
    for n in range(COUNT):
        for qid, host in (("Q1", BAD), ("Q2", GOOD)):
            bench.publish(VERIFIED, candidate(web.url(f"/{n}", host), qid))


def asked(web: PictureWeb) -> list[str]:
    """Return the host of each request for a picture, in their order."""
    return [
        request.headers["host"].partition(":")[0]
        for request in web.requests
        if request.path != "/robots.txt"
    ]


def alternating() -> Refusal:
    """Return a refusal of every second request."""
    count = iter(range(10_000))
    return lambda request: (
        answer(status=429) if next(count) % 2 else answer(picture(int(request.path[1:]) % 5))
    )


def reset(_: Request) -> Pieces:
    """Break the connection off."""
    return iter([b""])


SAYS_STOP: dict[str, Refusal] = {
    "429": lambda _: answer(b"<html>Too many requests</html>", 429),
    "zero": lambda _: answer(status=429, Retry_After="0"),
    "past": lambda _: answer(status=429, Retry_After="Thu, 01 Jan 1970 00:00:00 GMT"),
    "negative": lambda _: answer(status=429, Retry_After="-5"),
    "thousand years": lambda _: answer(status=429, Retry_After="Mon, 01 Jan 3026 00:00:00 GMT"),
    "420": lambda _: answer(status=420),
    "503": lambda _: answer(status=503),
    "503 and zero": lambda _: answer(status=503, Retry_After="0"),
    "challenge": lambda _: answer(status=403, Cf_Mitigated="challenge"),
    "resets": reset,
}
QUICK = ("429", "thousand years")


@pytest.mark.parametrize(
    "said",
    [
        *QUICK,
        *(pytest.param(name, marks=pytest.mark.slow) for name in SAYS_STOP if name not in QUICK),
    ],
)
def test_a_host_that_refuses_everything_gets_few_requests_and_the_others_no_pause(
    bench: Bench, web: PictureWeb, said: str
) -> None:
    """
    120 URLs of a host that says stop to all cost it 20 requests at most, in the whole run.

    All pictures of the other host are fetched before the first pause is over, and every candidate
    of the one that refuses has a time at which it is tried again.
    """
    refusing(web, SAYS_STOP[said])
    offer(bench, web)

    tally = bench.store()

    hosts = asked(web)
    assert hosts.count(BAD) <= 20
    assert tally["stored"] == hosts.count(GOOD) == COUNT
    last_good = len(hosts) - 1 - hosts[::-1].index(GOOD)
    assert hosts[:last_good].count(BAD) <= 12, "asked after its pause, while others waited"
    left = list(bench.catalogue.images(status=Status.FAILED))
    assert len(left) == COUNT
    assert all(row.retry_at for row in left)
    assert bench.lag() == 0


def test_a_host_that_recovers_within_the_run_gives_everything(
    bench: Bench, web: PictureWeb
) -> None:
    """The run waits for the pause, tries with one request, and goes on."""
    count = iter(range(10_000))
    refusing(
        web,
        lambda request: (
            answer(status=429) if next(count) < 3 else answer(picture(int(request.path[1:]) % 5))
        ),
    )
    offer(bench, web)

    bench.store()

    assert {row.status for row in bench.rows().values()} == {Status.STORED}
    assert asked(web).count(BAD) <= COUNT + 3


def test_a_host_that_alternates_is_waited_for_only_so_long(bench: Bench, web: PictureWeb) -> None:
    """What it does not give within the bound is left for the next run."""
    refusing(web, alternating())
    offer(bench, web)

    bench.store()

    bad = [row for row in bench.rows().values() if row.qid == "Q1"]
    assert 0 < sum(row.status is Status.STORED for row in bad) < COUNT
    assert all(row.status is Status.STORED or row.retry_at for row in bad)


def test_the_next_run_goes_on_with_what_was_left(bench: Bench, web: PictureWeb) -> None:
    """
    The rest is due when the pause is over, however often runs end like that.

    Six runs in a row are more than a picture that fails by itself is given.
    """
    refusing(web, lambda _: answer(status=429, Retry_After="7"))
    offer(bench, web)
    for _ in range(6):
        bench.store()
        failed = bench.catalogue.images(status=Status.FAILED)
        due = [row for row in failed if (row.retry_at or now()) <= now() + timedelta(seconds=7)]
        assert len(due) >= COUNT - 12 * 6, "those that were not asked for"
        everyone = bench.catalogue.images(status=Status.FAILED)
        bench.catalogue.record_stored(
            [row.model_copy(update={"retry_at": now() - timedelta(seconds=1)}) for row in everyone]
        )
    refusing(web, lambda request: answer(picture(int(request.path[1:]) % 5)))

    bench.store()

    assert {row.status for row in bench.rows().values()} == {Status.STORED}
