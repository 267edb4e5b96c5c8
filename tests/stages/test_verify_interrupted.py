"""`verify` that is killed, stopped or met by other work: it goes on, and nothing is told twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from celebcollect.domain.errors import Busy, Interrupted
from celebcollect.domain.records import Image
from celebcollect.stages.verify import mend, recheck
from celebcollect.stages.verify.checkpoint import NOTE
from celebcollect.stages.verify.files import look_at
from stages.verifying import Collection, collection, content, hurt, key_of, no_waiting

__all__ = ["collection", "no_waiting"]

pytestmark = pytest.mark.slow


def test_a_killed_one_is_gone_on_with(collection: Collection) -> None:
    """It looks at the rest only, and still tells what it had found before."""
    rows = collection.fill(30, 40)
    done = hurt(collection, rows, 2) | _hurt_more(collection, rows[-3:])
    _stop_after_first_batch(collection)

    looked: list[int] = []
    again = collection.verify(
        progress=lambda what, n, _: looked.append(n) if what == "pictures" else None
    )

    assert again.resumed
    assert looked[0] > 520  # the first batch, of thirteen people, was not looked at again
    assert again.checked["pictures"] == 1200
    assert {(one.kind.value, one.name) for one in again.findings} == done
    assert not collection.verify().resumed


@pytest.mark.parametrize("lies", [7 * 3600.0, -7 * 3600.0])
def test_an_old_killed_one_is_begun_anew(collection: Collection, lies: float) -> None:
    """What was whole in January says nothing of March, nor where the clock was set back since."""
    rows = collection.fill(30, 40)
    _stop_after_first_batch(collection)
    collection.file(rows[0]).unlink()
    state = collection.catalogue.note(NOTE) or {}
    collection.catalogue.set_note(NOTE, {**state, "at": time.time() - lies})

    verified = collection.verify()

    assert not verified.resumed
    assert [(one.kind.value, one.name) for one in verified.findings] == [
        ("file_missing", key_of(rows[0]))
    ]


def test_a_killed_one_is_left_where_that_is_asked_for(collection: Collection) -> None:
    """All is looked at, and what the killed one had found is found once."""
    rows = collection.fill(30, 40)
    collection.file(rows[0]).unlink()
    _stop_after_first_batch(collection)
    collection.file(rows[1]).unlink()

    verified = collection.verify(anew=True)

    assert not verified.resumed
    assert verified.checked["pictures"] == len(rows)
    assert {one.name for one in verified.findings} == {key_of(row) for row in rows[:2]}
    assert collection.catalogue.note(f"{NOTE}/0") is None


def test_mending_ends_between_two_files_and_goes_on(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was mended before the signal is told of by the next one, and nothing is left."""
    rows = collection.fill(3, 4)
    done = hurt(collection, rows, 1)
    stop, looks = threading.Event(), 0

    def counted(*arguments: Any) -> Any:
        nonlocal looks
        looks += 1
        if looks == 5:  # of Q2, whose other findings wait
            stop.set()
        return look_at(*arguments)

    monkeypatch.setattr(recheck, "look_at", counted)
    with pytest.raises(Interrupted):
        collection.verify(fix=True, stop=stop)
    assert looks == 5
    again = collection.verify(fix=True)

    assert again.resumed
    assert {(one.kind.value, one.name) for one in again.findings} == done
    assert again.unmended == []
    assert collection.verify().findings == []


def test_looking_again_ends_between_two_files(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nothing is mended."""
    rows = collection.fill(1, 9)
    for row in rows:
        collection.file(row).unlink()
    stop, looks = threading.Event(), 0

    def counted(*_: Any) -> None:
        nonlocal looks
        looks += 1
        stop.set()

    monkeypatch.setattr(recheck, "look_at", counted)
    with pytest.raises(Interrupted):
        collection.verify(stop=stop)

    assert looks == 1


def test_a_person_is_held_however_long_the_files_take(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim is renewed between two files; where it is lost all the same, nothing is mended."""
    rows = collection.fill(2, 3)
    for row in rows:
        collection.file(row).unlink()
    monkeypatch.setattr(mend, "_LEASE_S", 0.0)
    real, asked = collection.catalogue.claim, Counter[str]()

    def claim(task: str, qids: Sequence[str], **more: Any) -> list[str]:
        asked.update(qids)
        taken = asked["Q2"] > 2 and "Q2" in qids
        return [] if taken else real(task, qids, **more)

    monkeypatch.setattr(collection.catalogue, "claim", claim)

    fixed = collection.verify(fix=True)

    assert asked["Q1"] > 3
    assert {one.qid for one in fixed.unmended} == {"Q2"}
    assert {collection.status(row)[0] for row in rows[3:]} == {"accepted"}
    assert {collection.status(row)[0] for row in rows[:3]} == {"failed"}


def test_what_was_put_right_meanwhile_is_not_told(collection: Collection) -> None:
    """A killed run's findings are looked at once more."""
    rows = collection.fill(30, 40)
    collection.file(rows[0]).unlink()
    _stop_after_first_batch(collection)
    collection.file(rows[0]).write_bytes(content(rows[0]))

    assert collection.verify(fix=True).findings == []


def test_two_at_once_are_one_too_many(collection: Collection) -> None:
    """The second says so; one that died does not count."""
    collection.fill(30, 40)
    _stop_after_first_batch(collection)
    state = collection.catalogue.note(NOTE) or {}
    collection.catalogue.set_note(NOTE, {**state, "owner": "elsewhere|1|1", "at": time.time()})

    with pytest.raises(Busy):
        collection.verify()
    collection.catalogue.set_note(
        NOTE, {**state, "owner": "elsewhere|1|1", "at": time.time() - 1800}
    )

    assert collection.verify().resumed


def test_a_person_who_is_being_cleaned_is_left_alone(collection: Collection) -> None:
    """Nothing is mended, and it is said."""
    rows = collection.fill(2, 2)
    for row in (rows[0], rows[2]):
        collection.file(row).unlink()
    collection.catalogue.claim("clean", ["Q1"], owner="elsewhere|1|1", lease_s=60)

    fixed = collection.verify(fix=True)

    assert [one.qid for one in fixed.unmended] == ["Q1"]
    assert collection.status(rows[0])[0] == "accepted"
    assert collection.status(rows[2])[0] == "failed"


def test_a_sample_looks_at_so_many(collection: Collection) -> None:
    """And at nothing else."""
    rows = collection.fill(10, 10)
    (collection.root / "images" / "note.txt").write_text("x")
    for row in rows:
        collection.file(row).unlink()

    verified = collection.verify(sample=7)

    assert verified.checked == {"pictures": 7}
    assert {one.kind.value for one in verified.findings} == {"file_missing"}
    assert len(verified.findings) == 7


def test_forgetting_leaves_nothing_in_the_notes_of_a_killed_run(collection: Collection) -> None:
    """What it had found about a person is about the person."""
    rows = collection.fill(30, 40)
    collection.file(rows[0]).unlink()
    _stop_after_first_batch(collection)

    collection.catalogue.forget("Q1")

    assert collection.catalogue.note(f"{NOTE}/0") == {}


def _hurt_more(collection: Collection, rows: list[Image]) -> set[tuple[str, str]]:
    for row in rows:
        collection.file(row).unlink()
    return {("file_missing", key_of(row)) for row in rows}


def _stop_after_first_batch(collection: Collection) -> None:
    stop = threading.Event()
    with pytest.raises(Interrupted):
        collection.verify(progress=lambda *_: stop.set(), stop=stop)
