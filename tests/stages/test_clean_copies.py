"""Copies: one of them stays, always the same one, whatever came first."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.cleaning import World, jpeg


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def test_one_image_with_two_sources_is_accepted_once(world: World) -> None:
    """
    The same bytes under two URLs of a person are one file.

    The better documented source stays, the other row points to it.
    """
    copy = world.put("Q1", jpeg(1), "https://a.example/1.jpg", source="google")
    kept = world.put("Q1", jpeg(1), "https://z.example/1.jpg", source="commons")

    world.run()

    rows = world.rows()
    assert world.verdicts() == {
        kept.url: ("accepted", None),
        copy.url: ("rejected", "exact_duplicate"),
    }
    assert rows[copy.url].duplicate_of == kept.id
    assert rows[copy.url].path == rows[kept.url].path == f"images/Q1/{kept.sha256}.jpg"
    assert [record["source"] for record in world.live().values()] == ["commons"]
    world.check_whole()


def test_a_better_source_takes_over_without_a_withdrawal(world: World) -> None:
    """
    When the better documented copy arrives later, its record replaces the older one.

    It has the same key, and nothing else is published.
    """
    first = world.put("Q1", jpeg(1), "https://a.example/1.jpg", source="google")
    world.run()
    world.put("Q1", jpeg(1), "https://z.example/1.jpg", source="commons")
    end = world.end_of_log()

    tally = world.run()

    assert tally.counts == {"accepted": 1, "withdrawn": 1}
    assert world.end_of_log() == end + 1
    assert world.live()[f"Q1/{first.sha256}"]["source"] == "commons"
    world.check_whole()


def test_of_near_copies_the_largest_stays(world: World) -> None:
    """Resized and recompressed copies go, and say how far they are and from what."""
    small = world.put("Q1", jpeg(1, side=150), "https://a.example/small.jpg")
    world.run()
    large = world.put("Q1", jpeg(1, side=300), "https://a.example/large.jpg")
    rough = world.put("Q1", jpeg(1, side=300, quality=40), "https://a.example/rough.jpg")

    tally = world.run()

    rows = world.rows()
    assert tally.counts == {"accepted": 1, "withdrawn": 1, "rejected": 1}
    assert {rows[small.url].duplicate_of, rows[rough.url].duplicate_of} == {large.id}
    assert rows[small.url].reason == "near_duplicate"
    assert (rows[small.url].detail or "").endswith(" of 64 bits differ")
    world.check_whole()


def test_the_copy_of_a_rejected_picture_comes_back(world: World) -> None:
    """
    When the kept picture turns out broken, its near copy comes back.

    The copy had been thrown out for it; it is restored and published.
    """
    large = world.put("Q1", jpeg(1, side=300), "https://a.example/large.jpg")
    small = world.put("Q1", jpeg(1, side=150), "https://a.example/small.jpg")
    world.run()
    (world.root / (large.path or "")).unlink()
    world.catalogue.clean_again(["Q1"])

    tally = world.run()

    assert tally.counts == {"withdrawn": 1, "restored": 1}
    assert world.verdicts() == {
        large.url: ("rejected", "file_missing"),
        small.url: ("accepted", None),
    }
    assert set(world.live()) == {f"Q1/{small.sha256}"}
    world.check_whole()


def test_hashes_of_another_version_are_not_compared(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two pictures whose hashes were made in different ways are no copies of one another."""
    world.put("Q1", jpeg(1, side=300), "https://a.example/large.jpg")
    old = world.image("Q1", jpeg(1, side=150), "https://a.example/old.jpg")
    world.folder.put("Q1", old.sha256 or "", "jpg", jpeg(1, side=150))
    world.catalogue.record_stored([old.model_copy(update={"phash_version": 0})])
    # As if its file could not be hashed anew.
    monkeypatch.setattr("celebcollect.stages.clean.person.rehashed", lambda rows, *_, **__: rows)

    assert world.run().counts == {"accepted": 2}


def test_the_same_picture_under_two_people_is_rejected_for_both(world: World) -> None:
    """
    A doubt concerns everybody who has the bytes, also who was cleaned before.

    Each row names another one's.
    """
    first = world.put("Q1", jpeg(1), "https://a.example/1.jpg")
    world.run()
    second = world.put("Q20", jpeg(1), "https://b.example/1.jpg")

    tally = world.run()

    rows = world.rows()
    assert tally.counts == {"rejected": 1, "withdrawn": 1}
    assert tally.reasons == {"same_picture_other_person": 2}
    assert rows[first.url].duplicate_of == second.id
    assert rows[second.url].duplicate_of == first.id
    assert world.live() == {}
    world.check_whole()


def test_the_doubt_reaches_people_who_were_not_asked_for(world: World) -> None:
    """
    Cleaning one person withdraws the shared picture of the others as well.

    All name the first other one.
    """
    for qid in ("Q2", "Q3"):
        world.put(qid, jpeg(1), f"https://a.example/{qid}.jpg")
    world.run()
    world.put("Q1", jpeg(1), "https://a.example/Q1.jpg")
    alone = world.put("Q4", jpeg(4), "https://a.example/Q4.jpg")

    world.run(qids=["Q1"])

    assert world.verdicts().pop(alone.url) == ("stored", None)
    rows = world.rows()
    assert [rows[f"https://a.example/Q{n}.jpg"].detail for n in (1, 2, 3)] == ["Q2", "Q1", "Q1"]


def test_a_recompressed_copy_under_another_person_is_a_doubt_too(world: World) -> None:
    """
    Pictures that look the same are in doubt for both people.

    It makes no difference who came first and what their bytes are.
    """
    first = world.put("Q9", jpeg(1, side=300), "https://a.example/1.jpg")
    world.run()
    second = world.put("Q2", jpeg(1, side=240, quality=60), "https://b.example/1.jpg")
    world.put("Q2", jpeg(2), "https://b.example/2.jpg")

    tally = world.run()

    assert tally.counts == {"accepted": 1, "rejected": 1, "withdrawn": 1}
    rows = world.rows()
    assert {rows[url].reason for url in (first.url, second.url)} == {"same_picture_other_person"}
    assert world.run().counts == {}


def test_near_copies_of_a_shared_picture_are_in_doubt_too(world: World) -> None:
    """A smaller copy of a picture that another person has as well is no way around the doubt."""
    mine = world.put("Q1", jpeg(1, side=300), "https://a.example/1.jpg")
    copy = world.put("Q1", jpeg(1, side=150), "https://a.example/copy.jpg")
    other = world.put("Q2", jpeg(1, side=300), "https://b.example/1.jpg")

    world.run()

    assert set(world.verdicts().values()) == {("rejected", "same_picture_other_person")}
    rows = world.rows()
    assert rows[copy.url].duplicate_of == rows[mine.url].duplicate_of == other.id


def test_the_doubt_stays_when_the_other_one_goes_for_another_reason(world: World) -> None:
    """That the other person's file is broken or missing says nothing about whose picture it is."""
    mine = world.put("Q1", jpeg(1), "https://a.example/1.jpg")
    other = world.put("Q2", jpeg(1), "https://b.example/1.jpg")
    world.run()
    (world.root / (world.rows()[other.url].path or "")).unlink()
    world.catalogue.clean_again(["Q1", "Q2"])

    world.run()

    assert world.verdicts() == {
        mine.url: ("rejected", "same_picture_other_person"),
        other.url: ("rejected", "file_missing"),
    }


ARRIVALS = [
    *(
        ("Q1", 1, side, quality, source)
        for side, quality, source in (
            (300, 90, "google"),
            (150, 90, "tmdb"),
            (150, 60, "google"),
            (300, 90, "commons"),
        )
    ),
    ("Q1", 2, 150, 90, "google"),
    ("Q1", 2, 80, 90, "google"),  # too small: the copy above must not be thrown out for it
    ("Q1", 3, 150, 90, "google"),
    ("Q2", 3, 150, 90, "google"),  # the same bytes as Q1's
    ("Q2", 3, 300, 90, "google"),
    ("Q3", 3, 150, 90, "tmdb"),
    ("Q3", 4, 150, 90, "tmdb"),
    ("Q4", 4, 300, 60, "google"),  # looks the same
    ("Q4", 5, 300, 60, "google"),
]


def clean_in_order(order: list[int], cuts: set[int]) -> tuple[object, ...]:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            for step, index in enumerate(order):
                qid, seed, side, quality, source = ARRIVALS[index]
                world.put(
                    qid,
                    jpeg(seed, side=side, quality=quality),
                    f"https://a.example/{index}.jpg",
                    source=source,
                )
                if step in cuts:
                    world.run()
            world.run()
            world.check_whole()
            decided = {
                url: (row.status, row.reason, row.detail, row.duplicate_of, row.path)
                for url, row in world.rows().items()
            }
            live = {key: {**record, "stored_at": None} for key, record in world.live().items()}
            return decided, live
        finally:
            world.close()


@cache
def in_one_run() -> tuple[object, ...]:
    return clean_in_order(list(range(len(ARRIVALS))), set())


@pytest.mark.slow
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.permutations(range(len(ARRIVALS))), st.sets(st.integers(0, len(ARRIVALS) - 1)))
def test_no_order_of_arrival_and_no_split_into_runs_changes_the_outcome(
    order: list[int], cuts: set[int]
) -> None:
    """Verdicts, kept copies, paths and the topic's end state depend on the pictures alone."""
    assert clean_in_order(order, cuts) == in_one_run()
