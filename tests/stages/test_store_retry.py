"""Passing faults across runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from celebcollect.domain.records import Image, ImageCandidate, Status, image_id, now
from celebcollect.domain.tally import Tally
from celebcollect.stages.schedule import Schedule
from celebcollect.stages.store.failures import AT_ONCE, Failures
from celebcollect.stages.store.retry import publish_due
from celebcollect.web import breaker
from celebcollect.web.failures import FetchFailed
from celebcollect.web.reasons import FetchReason
from picture_web import answer, picture, serve
from stages.storing import VERIFIED, Bench, candidate


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench(tmp_path)
    yield opened
    opened.close()


def make_due(bench: Bench) -> None:
    """Let the time come at which failed rows may be tried again."""
    rows = [
        row.model_copy(update={"retry_at": now() - timedelta(seconds=1)})
        for row in bench.catalogue.images(status=Status.FAILED)
        if row.retry_at
    ]
    bench.catalogue.record_stored(rows)


def test_a_picture_comes_in_when_its_host_is_well_again(bench: Bench) -> None:
    """
    The next run stores the picture once its time has come.

    It puts the whole candidate on the topic again.
    """
    with serve() as web:
        web.routes["/a"] = answer(status=500, Retry_After="0")
        sent = candidate(web.url("/a"), licence="CC0", rank=3, page_title="A page")
        bench.publish(VERIFIED, sent)
        bench.store()
        assert bench.store()["retried"] == 0
        make_due(bench)
        web.routes["/a"] = answer(picture())

        tally = bench.store()

    assert (tally["retried"], tally["stored"]) == (1, 1)
    assert [
        ImageCandidate.model_validate_json(message.value or b"")
        for message in bench.bus.read(VERIFIED)
    ] == [sent, sent]
    row = bench.row("a")
    assert (row.status, row.reason, row.detail, row.retry_at, row.attempts, row.licence) == (
        Status.STORED,
        None,
        None,
        None,
        2,
        "CC0",
    )


def test_publishing_twice_is_harmless(bench: Bench) -> None:
    """A crash between publishing and storing repeats the message, not the download."""
    with serve() as web:
        web.routes["/a"] = answer(status=500, Retry_After="0")
        bench.publish(VERIFIED, candidate(web.url("/a")))
        bench.store()
        make_due(bench)
        for _ in range(3):
            publish_due(bench.catalogue, bench.bus, verified_topic=VERIFIED)
        before = web.asked("/a")

        tally = bench.store()

        assert web.asked("/a") - before == 3, "three tries of one run"
        assert tally.reasons["repeated"] == 3


def test_workers_share_what_is_due(bench: Bench) -> None:
    """What a live worker of another machine has taken on is left to it."""
    with serve() as web:
        web.routes["/a"] = answer(status=500, Retry_After="0")
        bench.publish(VERIFIED, candidate(web.url("/a")))
        bench.store()
    make_due(bench)
    bench.catalogue.claim("retry", ["Q42"], owner="another-machine|1|1", lease_s=600)

    assert publish_due(bench.catalogue, bench.bus, verified_topic=VERIFIED) == 0


def test_faults_for_good_never_come_back(bench: Bench) -> None:
    """What was no picture is not downloaded a second time."""
    with serve() as web:
        web.routes["/a"] = answer(b"<html>")
        bench.publish(VERIFIED, candidate(web.url("/a")), candidate(web.url("/missing")))
        bench.store()
        make_due(bench)

        assert publish_due(bench.catalogue, bench.bus, verified_topic=VERIFIED) == 0


def test_pictures_of_a_host_that_never_answers_are_given_up_some_time(bench: Bench) -> None:
    """A host that never worked uses up the patience with its pictures, run by run."""
    with serve() as web:
        for n in range(30):
            web.routes[f"/{n}"] = answer(status=500, Retry_After="60")
        bench.publish(VERIFIED, *(candidate(web.url(f"/{n}")) for n in range(30)))

        tally = bench.store()

    attempts = {row.reason: row.attempts for row in bench.rows().values()}
    assert attempts == {"server_error": 1, "host_resting": 1}
    assert tally.reasons["host_resting"] > 20
    assert all(row.retry_at for row in bench.rows().values())


@pytest.mark.slow
def test_urls_that_fail_cost_the_other_urls_of_their_host_nothing(bench: Bench) -> None:
    """
    A server fails for a third of its URLs, again and again.

    Every other picture comes in, in one run.
    """
    bad = [answer(status=500), answer(status=502), answer(b"", status=503)]
    with serve() as web:
        for n in range(150):
            web.routes[f"/{n}"] = bad[n % 9 // 3] if n % 3 == 0 else answer(picture(n % 5))
        bench.publish(VERIFIED, *(candidate(web.url(f"/{n}")) for n in range(150)))

        tally = bench.store()

    assert tally["stored"] == 100
    assert tally.reasons == {"server_error": 50}


def test_what_a_host_that_works_was_spared_is_fetched_at_the_end_of_the_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host rests after failures in a row: the run waits for it, and loses nothing."""
    monkeypatch.setattr(breaker, "_REST_S", 1.0)
    with serve() as web:
        web.routes |= {f"/bad{n}": answer(status=500) for n in range(9)} | {
            f"/{n}": answer(picture(n)) for n in range(20)
        }
        bench.publish(VERIFIED, candidate(web.url("/0")))
        bench.publish(VERIFIED, *(candidate(web.url(f"/bad{n}")) for n in range(9)))
        bench.publish(VERIFIED, *(candidate(web.url(f"/{n}")) for n in range(1, 20)))

        bench.store()

    rows = bench.rows()
    assert {rows[f"Q42/{n}"].status for n in range(20)} == {Status.STORED}
    assert {rows[f"Q42/bad{n}"].reason for n in range(9)} == {"server_error"}


def test_the_true_reason_stays_when_the_host_rests_later(bench: Bench) -> None:
    """A later run that does not get to ask changes nothing about why the picture failed."""
    with serve() as web:
        web.routes["/a"] = answer(status=500)
        bench.publish(VERIFIED, candidate(web.url("/a")))
        bench.store()
        make_due(bench)
        web.routes |= {f"/{n}": answer(status=500, Retry_After="60") for n in range(40)}
        bench.publish(VERIFIED, *(candidate(web.url(f"/{n}")) for n in range(40)))
        publish_due(bench.catalogue, bench.bus, verified_topic=VERIFIED)

        bench.store()

    assert bench.row("a").reason == "server_error"


@pytest.mark.slow
def test_pictures_that_a_host_did_not_let_through_come_back_a_few_at_a_time() -> None:
    """
    However many they are, and however often: 200 at once, then 50 in ten minutes, all within a day.

    10,000 rows of a host that is gone were 1.4 million messages a day.
    """
    failures = Failures(Tally(), Schedule(lambda _: None))
    resting = FetchFailed(
        FetchReason.HOST_RESTING, "said stop", transient=True, retry_after_s=60, said_stop=True
    )
    begun = now()

    def left(number: int, host: str) -> datetime:
        sent = candidate(f"https://{host}/{number}.jpg")
        known = sent.model_dump(exclude={"width_px", "height_px"})
        row = Image.model_validate(
            {**known, "id": image_id(sent.qid, sent.url), "status": Status.FAILED}
        )
        retry_at = failures.of_download(row, resting).retry_at
        assert retry_at is not None
        return retry_at

    at_once = [left(n, "cdn.example") for n in range(AT_ONCE)]
    first, second = ([left(n, "cdn.example") for n in range(200)] for _ in range(2))
    other = left(0, "other.example")
    rest = [left(n, "cdn.example") for n in range(10_000)]

    assert max(at_once) < begun + timedelta(seconds=70)
    assert first == sorted(first)
    in_ten_minutes = [at for at in first + second if at < begun + timedelta(minutes=11)]
    assert 45 <= len(in_ten_minutes) <= 52
    assert min(second) > max(first)
    assert other < begun + timedelta(minutes=2)
    assert max(rest) < begun + timedelta(days=1, minutes=2)
