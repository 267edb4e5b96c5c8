"""`store`: files, rows and reasons for good, broken, repeated and passing cases."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from celebcollect.domain.records import Image, Status, now
from celebcollect.stages.store import saver
from celebcollect.stages.store.failures import RETRY_DELAYS
from picture_web import PictureWeb, Request, answer, picture, serve
from stages.storing import VERIFIED, Bench, candidate


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def web() -> Iterator[PictureWeb]:
    with serve() as running:
        yield running


def offer(bench: Bench, web: PictureWeb, **bodies: bytes) -> None:
    """
    Let the server have these pictures, and validate their URLs.

    `__` in a name stands for the dot.
    """
    for name, body in bodies.items():
        path = f"/{name.replace('__', '.')}"
        web.routes[path] = answer(body)
        bench.publish("urls", candidate(web.url(path)))
    bench.validate()


def test_a_picture_is_stored_with_everything_that_was_measured(
    bench: Bench, web: PictureWeb
) -> None:
    """Bytes as downloaded under their digest, and a row that says what they are."""
    data = picture(1, (320, 240))
    offer(bench, web, a__jpg=data)

    tally = bench.store()

    row, sha256 = bench.row("a.jpg"), hashlib.sha256(data).hexdigest()
    assert (row.status, row.sha256, row.path) == (Status.STORED, sha256, f"images/Q42/{sha256}.jpg")
    assert (row.bytes, row.format, row.width_px, row.height_px, row.phash_version) == (
        len(data),
        "jpeg",
        320,
        240,
        2,
    )
    assert row.phash is not None
    assert row.stored_at is not None
    assert (bench.data_dir / (row.path or "")).read_bytes() == data
    assert tally.counts == {"stored": 1, "bytes": len(data)}
    assert bench.lag() == 0


def test_the_bytes_decide_the_type(bench: Bench, web: PictureWeb) -> None:
    """Neither the URL's ending nor the Content-Type is believed."""
    web.routes["/a.jpg"] = answer(picture(1, kind="PNG"), Content_Type="image/gif")
    bench.publish(VERIFIED, candidate(web.url("/a.jpg")))

    bench.store()

    assert (bench.row("a.jpg").format, Path(bench.row("a.jpg").path or "").suffix) == (
        "png",
        ".png",
    )


def test_what_is_no_picture_fails_with_a_reason_and_leaves_no_file(
    bench: Bench, web: PictureWeb
) -> None:
    """Broken pictures and other files are failures for good, downloaded once."""
    bodies = {
        "html": b"<html>",
        "empty": b"",
        "cut": picture()[:-900],
        "tiff": picture(kind="TIFF"),
        "bomb": b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\1\0\1\0\0\2\2L\1\0;",
    }
    offer(bench, web, **bodies)

    tally = bench.store()

    reasons = {
        name: (bench.row(name).status, bench.row(name).reason, bench.row(name).retry_at)
        for name in bodies
    }
    assert {name: reason for name, (_, reason, _) in reasons.items()} == {
        "html": "not_an_image",
        "empty": "empty",
        "cut": "truncated",
        "tiff": "unsupported_format",
        "bomb": "too_many_pixels",
    }
    assert all(
        status is Status.FAILED and retry_at is None for status, _, retry_at in reasons.values()
    )
    assert bench.files() == set()
    assert tally["failed"] == sum(tally.reasons.values()) == 5
    assert all(web.asked(f"/{name}") == 1 for name in bodies)


def test_a_small_picture_is_stored(bench: Bench, web: PictureWeb) -> None:
    """Too small is a verdict of `clean`, not a failure."""
    offer(bench, web, a=picture(1, (20, 20)))

    bench.store()

    assert bench.row("a").status is Status.STORED


def test_a_second_run_downloads_nothing(bench: Bench, web: PictureWeb) -> None:
    """Rows that are settled, one way or the other, are skipped when their message comes again."""
    offer(bench, web, good=picture(), bad=b"<html>")
    bench.store()
    before = len(web.requests)
    bench.publish(VERIFIED, candidate(web.url("/good")), candidate(web.url("/bad")))

    tally = bench.store()

    assert tally.as_dict() == {"counts": {}, "reasons": {"known": 2}}
    assert len(web.requests) == before


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.REJECTED])
def test_what_clean_has_decided_stays(bench: Bench, web: PictureWeb, status: Status) -> None:
    """A repeated message does not undo a verdict."""
    offer(bench, web, a=picture())
    bench.store()
    bench.catalogue.record_verdicts([bench.row("a").model_copy(update={"status": status})])
    bench.publish(VERIFIED, candidate(web.url("/a")))

    bench.store()

    assert bench.row("a").status is status


def test_the_same_bytes_of_one_person_are_one_file_and_two_rows(
    bench: Bench, web: PictureWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known bytes are neither decoded nor written again, wherever their file lies by now."""
    offer(bench, web, a=picture())
    bench.store()
    quarantined = bench.folder.place(bench.row("a").path or "", quarantined=True)
    bench.catalogue.record_verdicts(
        [bench.row("a").model_copy(update={"status": Status.REJECTED, "path": quarantined})]
    )
    monkeypatch.setattr(saver, "inspect", lambda *_, **__: pytest.fail("decoded again"))
    offer(bench, web, b=picture())

    bench.store()

    assert (bench.row("b").status, bench.row("b").path) == (Status.STORED, quarantined)
    assert (bench.row("b").phash, bench.row("b").width_px) == (
        bench.row("a").phash,
        bench.row("a").width_px,
    )
    assert bench.files() == {quarantined}


def test_the_same_bytes_in_one_batch_are_one_file(bench: Bench, web: PictureWeb) -> None:
    """Two downloads of the same bytes at the same time end in one file."""
    offer(bench, web, a=picture(), b=picture(), c=picture(), d=picture())

    bench.store()

    assert {row.path for row in bench.rows().values()} == bench.files()
    assert len(bench.files()) == 1


def test_the_same_bytes_of_two_people_are_two_files(bench: Bench, web: PictureWeb) -> None:
    """Each person's folder is whole in itself."""
    web.routes["/a"] = answer(picture())
    bench.publish(VERIFIED, candidate(web.url("/a")), candidate(web.url("/a"), "Q1"))

    bench.store()

    assert {path.split("/")[1] for path in bench.files()} == {"Q42", "Q1"}
    assert bench.rows()["Q1/a"].phash == bench.rows()["Q42/a"].phash


def test_one_placeholder_for_very_many_urls_is_looked_up_once(
    bench: Bench, web: PictureWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work does not grow with the square of the URLs that serve one picture."""
    offer(bench, web, **{f"p{n}": picture() for n in range(100)})
    asked: list[object] = []
    with_bytes = bench.catalogue.with_bytes

    def counted(shas: Collection[str]) -> list[Image]:
        asked.append(shas)
        return with_bytes(shas)

    monkeypatch.setattr(bench.catalogue, "with_bytes", counted)

    bench.store()

    assert len(asked) <= 2  # one for each decoding thread that saw the bytes first
    assert len(bench.files()) == 1


def test_a_passing_fault_is_tried_again_at_once(bench: Bench, web: PictureWeb) -> None:
    """A server that stumbles once costs a second, not the picture."""
    answers = [answer(status=503, Retry_After="0"), answer(picture())]
    offer(bench, web, a=b"")
    web.routes["/a"] = lambda _: answers.pop(0)

    tally = bench.store()

    assert (bench.row("a").status, tally.counts["stored"], tally.reasons) == (Status.STORED, 1, {})


def test_a_fault_that_stays_is_kept_for_a_later_run(bench: Bench, web: PictureWeb) -> None:
    """
    After three tries the row says when it may be tried again.

    Sooner first, later with every run, then never.
    """
    offer(bench, web, a=b"")
    web.routes["/a"] = answer(b"busy", status=503, Retry_After="0")

    for run, pause in enumerate([*RETRY_DELAYS, None], 1):
        begun = now()
        bench.store()

        row = bench.row("a")
        assert (row.status, row.reason, row.detail, row.attempts) == (
            Status.FAILED,
            "server_error",
            "HTTP 503",
            run,
        )
        assert web.asked("/a") == 3 * run
        if pause is None:
            assert row.retry_at is None
        else:
            assert begun + pause <= (row.retry_at or begun) <= now() + pause
            bench.catalogue.record_stored(
                [row.model_copy(update={"retry_at": now() - timedelta(seconds=1)})]
            )
            bench.publish(VERIFIED, candidate(web.url("/a")))


def test_a_row_that_waits_for_its_time_is_left_alone(bench: Bench, web: PictureWeb) -> None:
    """A repeated message does not make a passing fault be tried before its time."""
    offer(bench, web, a=b"")
    web.routes["/a"] = answer(status=503, Retry_After="0")
    bench.store()
    bench.publish(VERIFIED, candidate(web.url("/a")))

    tally = bench.store()

    assert (tally.reasons, web.asked("/a")) == ({"known": 1}, 3)


def test_a_host_that_asks_for_a_long_wait_is_not_asked_again_now(
    bench: Bench, web: PictureWeb
) -> None:
    """Retry-After beyond what a run may wait ends in a later run, and not before that time."""
    offer(bench, web, a=b"")
    web.routes["/a"] = answer(status=429, Retry_After="7200")
    begun = now()

    bench.store()

    assert web.asked("/a") == 1
    assert (bench.row("a").retry_at or begun) >= begun + timedelta(seconds=7190)


def test_candidates_that_nobody_validated_are_stored_too(bench: Bench, web: PictureWeb) -> None:
    """Anyone may publish on the verified topic; the row is made when the picture is there."""
    web.routes["/a"] = answer(picture())
    bench.publish(
        VERIFIED,
        candidate(web.url("/a"), licence="CC0"),
        candidate("http://[broken"),
        candidate("file:///etc/passwd"),
    )

    tally = bench.store()

    assert (bench.row("a").status, bench.row("a").licence) == (Status.STORED, "CC0")
    assert tally.reasons == {"malformed_url": 2}


def test_a_name_that_looks_like_a_path_reaches_none(bench: Bench, web: PictureWeb) -> None:
    """Only the QID and the digest become part of a path."""
    web.routes["/../../../etc/passwd"] = web.routes["/etc/passwd"] = answer(picture())
    bench.publish(
        VERIFIED, candidate(web.url("/../../../etc/passwd"), name="../../etc/passwd", source="../x")
    )

    bench.store()

    assert all(path.startswith("images/Q42/") for path in bench.files())


def test_a_slow_host_does_not_hold_the_others(bench: Bench, web: PictureWeb) -> None:
    """
    A host that keeps its connections waiting does not hold the others.

    Their pictures come in, also those of later batches.
    """
    others = [f"/{n}" for n in range(150)]
    left, all_came = set(others), threading.Event()
    in_time: list[bool] = []

    def last(_: Request) -> bytes:
        in_time.append(all_came.wait(25))
        return answer(picture())

    def other(request: Request) -> bytes:
        left.discard(request.path)
        if not left:
            all_came.set()
        return answer(picture())

    with serve("127.0.0.2") as slow:
        slow.routes["/slow"] = last
        web.routes.update(dict.fromkeys(others, other))
        bench.publish(VERIFIED, *map(candidate, [slow.url("/slow"), *map(web.url, others)]))

        tally = bench.store(timeout_s=30)

    assert in_time == [True], "all others were downloaded before the slow one answered"
    assert tally["stored"] == 151
