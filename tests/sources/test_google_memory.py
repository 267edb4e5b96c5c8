"""What the Google source remembers between runs.

Answers, the last query, the rest after a captcha.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from celebcollect.domain.errors import SourceBlocked, StorageError
from celebcollect.domain.records import now
from celebcollect.domain.tally import Tally
from celebcollect.sources.google.cache import AnswerCache, CachedAnswer, forget
from celebcollect.sources.google.pace import QueryPace
from celebcollect.sources.google.records import FoundPicture
from sources.google_steps import MemoryNotes

URL = "http://h.example/search?q=x"


def cache(folder: Path, *, days: float = 30, tally: Tally | None = None) -> AnswerCache:
    return AnswerCache(folder, max_age_days=days, tally=tally or Tally())


def answer(url: str = URL, **facts: Any) -> CachedAnswer:
    return CachedAnswer(
        address=url,
        at=facts.get("at", now()),
        complete=True,
        found=(FoundPicture(url="https://a.example/1.jpg", title="Título 猫", width_px=3),),
    )


def test_an_answer_is_found_again_for_its_person_and_query_only(tmp_path: Path) -> None:
    """What was put in comes out whole; another person or query has its own."""
    cache(tmp_path).put("Q1", answer())

    assert cache(tmp_path).get("Q1", URL) == answer()
    assert cache(tmp_path).get("Q2", URL) is None
    assert cache(tmp_path).get("Q1", f"{URL}y") is None


def test_a_query_reaches_no_path(tmp_path: Path) -> None:
    """The file's name is the QID and a digest, whatever the query is."""
    hostile = "http://h.example/search?q=../../etc/passwd%00\n"

    cache(tmp_path).put("Q1", answer(hostile))

    (file,) = (tmp_path / "cache" / "google").iterdir()
    assert file.name.startswith("Q1-")
    assert file.stem.removeprefix("Q1-").isalnum()


@pytest.mark.parametrize("at", [now() - timedelta(days=31), now() + timedelta(days=2)])
def test_an_old_answer_is_asked_again(tmp_path: Path, at: datetime) -> None:
    """An answer past its age, or from a clock that was wrong, does not count."""
    cache(tmp_path).put("Q1", answer(at=at))

    assert cache(tmp_path).get("Q1", URL) is None


def test_nothing_is_kept_when_that_is_wanted(tmp_path: Path) -> None:
    """With an age of 0 days no file is written and none is read."""
    cache(tmp_path, days=0).put("Q1", answer())
    assert not (tmp_path / "cache").exists()

    cache(tmp_path).put("Q1", answer())

    assert cache(tmp_path, days=0).get("Q1", URL) is None


@pytest.mark.parametrize(
    "bytes_", [b"", b'{"address":', b"[]", b"\xff\xfe", b"[" * 100_000, b"null"]
)
def test_a_broken_file_is_counted_and_asked_again(tmp_path: Path, bytes_: bytes) -> None:
    """Whatever stands in the file, the run goes on, and says so."""
    tally, kept = Tally(), answer()
    store = cache(tmp_path, tally=tally)
    store.put("Q1", kept)
    (file,) = (tmp_path / "cache" / "google").iterdir()
    file.write_bytes(bytes_)

    assert store.get("Q1", URL) is None
    assert tally.reasons == {"google_cache_unreadable": 1}
    store.put("Q1", kept)
    assert store.get("Q1", URL) == kept


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """An answer that cannot be written is an error with the file's name."""
    (tmp_path / "cache").write_text("a file where the folder should be")

    with pytest.raises(StorageError, match="cannot write"):
        cache(tmp_path).put("Q1", answer())


def test_a_person_can_be_forgotten(tmp_path: Path) -> None:
    """All that is remembered of a person goes, and nothing of one whose QID begins the same."""
    for qid in ("Q1", "Q11"):
        cache(tmp_path).put(qid, answer())
    cache(tmp_path).put("Q1", answer(f"{URL}y"))
    (tmp_path / "pages").mkdir()
    for name in ("1-unknown-Q1.html", "1-unknown-Q1.png", "1-unknown-Q11.html"):
        (tmp_path / "pages" / name).touch()

    assert forget(tmp_path, "Q1") == 4
    assert [file.name for file in (tmp_path / "pages").iterdir()] == ["1-unknown-Q11.html"]
    assert cache(tmp_path).get("Q11", URL) is not None


def rest(notes: MemoryNotes) -> float:
    return (QueryPace(notes, min_interval_s=0, wait=time.sleep).rest() - now()).total_seconds()


def test_each_captcha_doubles_the_rest_up_to_a_day() -> None:
    """1 h, 2 h, 4 h, ... 24 h, across runs, until Google answers again."""
    notes = MemoryNotes()

    rests = [round(rest(notes) / 3600) for _ in range(7)]

    assert rests == [1, 2, 4, 8, 16, 24, 24]
    QueryPace(notes, min_interval_s=0, wait=time.sleep).welcome()
    assert round(rest(notes) / 3600) == 1


def test_a_rest_is_kept_by_the_next_run() -> None:
    """While it lasts nobody asks, and the message says until when; afterwards one may."""
    notes = MemoryNotes()
    until = QueryPace(notes, min_interval_s=0, wait=time.sleep).rest()

    with pytest.raises(SourceBlocked) as blocked:
        QueryPace(notes, min_interval_s=0, wait=time.sleep).check()

    assert blocked.value.until == until
    assert f"{until:%Y-%m-%d %H:%M} UTC" in blocked.value.message
    notes.set_note(
        "google_rest", {"until": (now() - timedelta(seconds=1)).isoformat(), "seconds": 3600}
    )
    QueryPace(notes, min_interval_s=0, wait=time.sleep).check()


@pytest.mark.parametrize(
    "note",
    [
        {},
        {"until": 7},
        {"until": "soon", "seconds": 1},
        {"until": "2026-01-01", "seconds": "x"},
        {"until": "9999-01-01T00:00:00", "seconds": 1e99},
    ],
)
def test_a_note_that_makes_no_sense_is_no_rest(note: Mapping[str, Any]) -> None:
    """A broken note neither fails nor blocks for ever."""
    notes = MemoryNotes({"google_rest": dict(note)})

    QueryPace(notes, min_interval_s=0, wait=time.sleep).check()


def test_a_clock_that_was_wrong_does_not_block_for_years() -> None:
    """A rest is never longer than a day from now."""
    notes = MemoryNotes({"google_rest": {"until": "2999-01-01T00:00:00+00:00", "seconds": 3600}})

    with pytest.raises(SourceBlocked) as blocked:
        QueryPace(notes, min_interval_s=0, wait=time.sleep).check()

    assert blocked.value.until is not None
    assert blocked.value.until <= datetime.now(UTC) + timedelta(hours=24)


def test_turns_keep_their_distance_in_one_process() -> None:
    """Between two starts lies the interval, and nobody waits for more than that and 10 %."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(seconds)

    pace = QueryPace(MemoryNotes(), min_interval_s=0.2, wait=wait)

    began = time.monotonic()
    for _ in range(6):
        assert pace.take_turn()

    assert time.monotonic() - began >= 5 * 0.2
    assert max(waits) < 0.22


def test_turns_keep_their_distance_across_runs() -> None:
    """A new process waits for what is left of the last one's interval."""
    notes = MemoryNotes()
    QueryPace(notes, min_interval_s=100, wait=time.sleep).take_turn()
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return True

    QueryPace(notes, min_interval_s=100, wait=wait).take_turn()

    assert 99 < waits[0] < 104


@pytest.mark.parametrize(
    "at",
    ["x", None, time.time() + 10_000, time.time() - 10_000, float("nan")],
    ids=["text", "none", "ahead", "past", "nan"],
)
def test_a_last_query_that_makes_no_sense_is_not_waited_for(at: Any) -> None:
    """A broken note, a clock set back, or a query long ago cost no time."""
    pace = QueryPace(
        MemoryNotes({"google_last_query": {"at": at}}), min_interval_s=1000, wait=lambda _: True
    )

    assert pace.take_turn()


def test_a_wait_that_is_cut_short_takes_no_turn() -> None:
    """When the work is to end, no further query starts."""
    notes = MemoryNotes()
    pace = QueryPace(notes, min_interval_s=1000, wait=lambda _: True)
    pace.take_turn()
    before = json.dumps(notes.notes)

    assert not pace.take_turn()
    assert json.dumps(notes.notes) == before
