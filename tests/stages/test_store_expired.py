"""Pictures whose source's terms end after six months."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from celebcollect.bus.base import TopicSpec
from celebcollect.catalogue.tasks import CLEAN as CLEANING
from celebcollect.checks.base import FileReason
from celebcollect.domain.errors import StorageError
from celebcollect.domain.records import Status, now
from celebcollect.stages.reasons import StoreReason
from celebcollect.stages.store.again import to_fetch_again
from celebcollect.stages.store.expired import NOTE, drop_expired
from picture_web import answer, picture, serve
from stages.storing import CLEAN, VERIFIED, Bench, candidate


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench(tmp_path)
    opened.bus.ensure([TopicSpec(CLEAN, compacted=True)])
    yield opened
    opened.close()


def grow_old(bench: Bench, *, days: int = 181, status: Status = Status.ACCEPTED) -> None:
    """
    Let everything have been stored and cleaned so many days ago.

    The last look at the terms was before that.
    """
    long_ago = now() - timedelta(days=days)
    rows = [
        row.model_copy(
            update={"status": status, "stored_at": long_ago, "facts": {"faces": {"n": 1}}}
        )
        for row in bench.catalogue.images()
    ]
    bench.catalogue.record_verdicts(rows)
    bench.catalogue.set_note(NOTE, None)


def withdrawn(bench: Bench) -> list[str | None]:
    return [message.key for message in bench.bus.read(CLEAN) if message.value is None]


@pytest.mark.parametrize("same", [True, False])
def test_a_persons_word_counts_for_the_same_bytes(bench: Bench, same: bool) -> None:
    """Also after a download that failed; of other bytes nobody has said anything."""
    with serve() as web:
        web.routes["/a"] = answer(picture(1))
        bench.publish(VERIFIED, candidate(web.url("/a")))
        bench.store()
        row = bench.row("a").model_copy(
            update={"status": Status.ACCEPTED, "restored_from": "too_small: 60x60 px"}
        )
        bench.folder.remove(row.path or "")
        lost = to_fetch_again(row, FileReason.FILE_MISSING, "", now())
        bench.catalogue.record_verdicts([lost])
        web.routes["/a"] = answer(b"", status=404)
        bench.store()
        failed = bench.row("a")
        assert (failed.status, failed.restored_from) == (Status.FAILED, None)
        bench.catalogue.record_verdicts([failed.model_copy(update={"retry_at": now()})])
        web.routes["/a"] = answer(picture(1 if same else 2))

        bench.store()

    back = bench.row("a")
    assert (back.status, back.facts) == (Status.STORED, {})
    assert back.restored_from == ("too_small: 60x60 px" if same else None)


@pytest.mark.parametrize("status", [Status.STORED, Status.ACCEPTED, Status.REJECTED])
def test_an_old_picture_is_withdrawn_and_fetched_again(bench: Bench, status: Status) -> None:
    """
    The next run of `store` has it anew, whatever its state.

    Nothing is left that was measured on the old bytes.
    """
    with serve() as web:
        web.routes["/a"] = answer(picture(1))
        bench.publish(
            VERIFIED, candidate(web.url("/a"), source="tmdb", licence="TMDB API terms of use")
        )
        bench.store()
        old = bench.row("a")
        grow_old(bench, status=status)
        web.routes["/a"] = answer(picture(2))

        tally = bench.store()

    new = bench.row("a")
    assert (tally[StoreReason.KEPT_TOO_LONG], tally["retried"], tally["stored"]) == (1, 1, 1)
    assert (new.status, new.reason, new.facts, new.licence) == (
        Status.STORED,
        None,
        {},
        old.licence,
    )
    assert new.sha256 != old.sha256
    assert bench.files() == {new.path}
    assert withdrawn(bench) == ([f"Q42/{old.sha256}"] if status is Status.ACCEPTED else [])
    assert [cleaning.qid for cleaning in bench.catalogue.need_cleaning("any")] == ["Q42"]


def test_what_the_source_no_longer_serves_is_gone(bench: Bench) -> None:
    """No file is left, and the row says why."""
    with serve() as web:
        web.routes["/a"] = answer(picture())
        bench.publish(VERIFIED, candidate(web.url("/a"), source="tmdb"))
        bench.store()
        grow_old(bench)
        web.routes["/a"] = answer(status=404)

        bench.store()

    row = bench.row("a")
    assert (row.status, row.reason, row.sha256, row.path) == (
        Status.FAILED,
        "not_found",
        None,
        None,
    )
    assert bench.files() == set()


def test_young_ones_and_those_of_other_sources_stay(bench: Bench) -> None:
    """Nothing is asked of the web, and nothing changes."""
    with serve() as web:
        web.routes["/a"] = web.routes["/b"] = answer(picture())
        bench.publish(
            VERIFIED,
            candidate(web.url("/a"), source="tmdb"),
            candidate(web.url("/b"), qid="Q7", source="commons"),
        )
        bench.store()
        grow_old(bench, days=179)
        before = bench.rows()

        tally = bench.store()

        assert bench.rows() == before
        assert tally.counts == {}
        assert web.asked("/b") == 1


def test_a_file_that_another_source_offers_too_stays(bench: Bench) -> None:
    """
    The same bytes are there under a free licence, so the file is kept.

    Cleaning again decides which row stands for it.
    """
    with serve() as web:
        web.routes["/a"] = web.routes["/b"] = answer(picture())
        bench.publish(
            VERIFIED,
            candidate(web.url("/a"), source="tmdb"),
            candidate(web.url("/b"), source="commons"),
        )
        bench.store()
        grow_old(bench)

        dropped = drop_expired(bench.catalogue, bench.folder, bench.bus, clean_topic=CLEAN)

    assert dropped == 1
    assert bench.row("a").status is Status.FAILED
    assert bench.files() == {bench.row("b").path}
    assert [cleaning.qid for cleaning in bench.catalogue.need_cleaning("any")] == ["Q42"]


def test_a_person_whom_a_cleaner_holds_waits_for_the_next_look(bench: Bench) -> None:
    """
    The two never write the same rows at once.

    A look that left somebody out is not the day's last.
    """
    with serve() as web:
        web.routes["/a"] = answer(picture())
        bench.publish(VERIFIED, candidate(web.url("/a"), source="tmdb"))
        bench.store()
        grow_old(bench)
        bench.catalogue.claim(CLEANING, ["Q42"], owner="elsewhere|1|1", lease_s=60)
        first = drop_expired(bench.catalogue, bench.folder, bench.bus, clean_topic=CLEAN)
        bench.catalogue.release(CLEANING, ["Q42"], owner="elsewhere|1|1")

        second = drop_expired(bench.catalogue, bench.folder, bench.bus, clean_topic=CLEAN)

    assert (first, second) == (0, 1)


def test_a_crash_in_the_middle_is_made_good(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is gone and the row says that it is there: the next look finds the row again."""
    with serve() as web:
        web.routes["/a"] = answer(picture())
        bench.publish(VERIFIED, candidate(web.url("/a"), source="tmdb"))
        bench.store()
        grow_old(bench)
        with monkeypatch.context() as broken:

            def crash(*_: object) -> None:
                raise StorageError("the process dies here", hint="")

            broken.setattr(bench.catalogue, "record_verdicts", crash)
            with pytest.raises(StorageError):
                drop_expired(bench.catalogue, bench.folder, bench.bus, clean_topic=CLEAN)

        tally = bench.store()

    assert (tally[StoreReason.KEPT_TOO_LONG], tally["stored"]) == (1, 1)
    assert bench.files() == {bench.row("a").path}
    assert bench.catalogue.claim(CLEANING, ["Q42"], owner="elsewhere|1|1", lease_s=1) == ["Q42"]
