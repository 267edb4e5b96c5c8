"""`clean --dry-run`: what it foresees comes true, and it writes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celebcollect.checks import build_checks
from celebcollect.domain.records import Image
from celebcollect.domain.tally import Tally
from celebcollect.stages.clean import stage as clean_stage
from celebcollect.stages.clean.dry_run import Foreseen, foresee
from celebcollect.stages.clean.restore import restore
from stages.cleaning import World, jpeg

Seen = dict[str, tuple[str, str | None, str | None]]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def foreseen(world: World, **changes: int) -> Foreseen:
    clean = world.clean.model_copy(update=changes)
    store = world.store.model_copy(update=changes)
    checks = build_checks(clean, store)
    return foresee(world.catalogue, world.folder, checks, tally=Tally(), stop=threading.Event())


def bytes_below(folder: Path) -> dict[str, bytes]:
    """Return every file; of SQLite's only what is in the database, not who has it open."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.endswith("-shm")
    }


def seen(rows: Iterator[Image] | list[Image]) -> Seen:
    return {row.id: (row.status.value, row.reason, row.duplicate_of) for row in rows}


def comes_true(world: World, told: Foreseen, **changes: Any) -> None:
    """Clean, and hold every row against what was foreseen."""
    expected = seen(world.catalogue.images())
    expected |= seen([after for _, after in told.pictures])
    world.run(**changes)
    assert {id_: said[:2] for id_, said in seen(world.catalogue.images()).items()} == {
        id_: said[:2] for id_, said in expected.items()
    }
    world.check_whole()


def test_everything_that_changes_is_told_by_person_and_comes_true(world: World) -> None:
    """New, withdrawn and restored pictures, copies, and what one person's mean for another's."""
    for number in range(3):
        world.put("Q1", jpeg(number), f"https://a.example/{number}.jpg")
    small = world.put("Q1", jpeg(7, side=60), "https://a.example/small.jpg")
    world.run()
    world.put("Q1", jpeg(1, side=300), "https://b.example/larger.jpg")
    world.put("Q2", jpeg(2), "https://b.example/shared.jpg")
    before = bytes_below(world.root)

    told = foreseen(world, min_side_px=50)

    assert bytes_below(world.root) == before
    mine, other = (told.people[qid] for qid in ("Q1", "Q2"))
    assert str(mine) == (
        "1 new accepted, 2 accepted -> rejected (1 near_duplicate, 1 same_picture_other_person),"
        " 1 rejected -> accepted (was 1 too_small), 1 of these now a copy of another"
    )
    assert str(other) == "1 new rejected (1 same_picture_other_person)"
    assert str(told.total) == (
        "1 new accepted, 1 new rejected (1 same_picture_other_person), 2 accepted -> rejected"
        " (1 near_duplicate, 1 same_picture_other_person), 1 rejected -> accepted"
        " (was 1 too_small), 1 of these now a copy of another"
    )
    said = told.as_dict()
    assert [person["name"] for person in said["people"]] == ["Person Q1", "Person Q2"]
    restored = next(
        picture
        for picture in said["people"][0]["pictures"]
        if picture["picture"] == f"Q1/{small.sha256}"
    )
    assert restored["status"] == ["rejected", "accepted"]
    assert restored["reason"] == ["too_small", None]
    comes_true(world, told, min_side_px=50)


def test_what_changes_for_others_is_followed(world: World) -> None:
    """A picture that somebody restored clears nobody else's; one that is new takes another's."""
    world.put("Q1", jpeg(1), "https://a.example/1.jpg")
    world.run()
    world.put("Q2", jpeg(1), "https://a.example/2.jpg")

    told = foreseen(world)

    assert {qid: str(changes) for qid, changes in told.people.items()} == {
        "Q1": "1 accepted -> rejected (1 same_picture_other_person)",
        "Q2": "1 new rejected (1 same_picture_other_person)",
    }
    comes_true(world, told)
    for row in world.catalogue.images():
        restore(world.catalogue, world.folder, [f"{row.qid}/{row.sha256}"])
    told = foreseen(world)
    assert str(told.total) == "2 rejected -> accepted (was 2 same_picture_other_person)"
    comes_true(world, told)
    assert foreseen(world).people == {}


def test_it_says_what_it_has_measured_and_which_files_nobody_knows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is measured for it is measured again; a stray file would be moved, and stays."""
    world.put("Q1", jpeg(1), "https://a.example/1.jpg")
    stray = world.folder.put("Q1", "ab" * 32, "jpg", jpeg(2))
    monkeypatch.setattr(clean_stage, "ORPHAN_AGE_S", -60.0)

    told = foreseen(world)

    assert (told.measured, told.orphans) == (1, 1)
    assert world.folder.holds(stray)
    world.run()
    world.catalogue.clean_again(["Q1"])
    assert foreseen(world).measured == 0


def test_pictures_that_are_hashed_anew_are_compared_by_their_new_hash(world: World) -> None:
    """What a former version hashed meets what is hashed today, as it will when it is cleaned."""
    old = world.put("Q1", jpeg(1), "https://a.example/1.jpg")
    world.run()
    formerly = {"phash": "0123456789abcdef", "phash_version": 0}
    world.catalogue.record_verdicts([world.rows()[old.url].model_copy(update=formerly)])
    world.catalogue.clean_again(["Q1"])
    world.put("Q2", jpeg(1, side=240), "https://b.example/2.jpg")

    told = foreseen(world)

    assert {qid: str(changes) for qid, changes in told.people.items()} == {
        "Q1": "1 accepted -> rejected (1 same_picture_other_person)",
        "Q2": "1 new rejected (1 same_picture_other_person)",
    }
    comes_true(world, told)
