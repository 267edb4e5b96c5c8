"""What is allowed again is all of a person: each item and id that led to it being forbidden."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from catalogue.catalogue_samples import person
from celebcollect.catalogue.base import Catalogue
from celebcollect.stages.forgotten import (
    allow_again,
    follow_merged,
    is_remembered,
    remember,
)


class Merges:
    """Wikidata, which knows of these merged items."""

    def __init__(self, **merged: str) -> None:
        self.merged = merged

    def merged_into(self, qids: Collection[str]) -> dict[str, str]:
        return {qid: into for qid, into in self.merged.items() if qid in qids}


def _merged_twice(catalogue: Catalogue) -> None:
    """Q1 was merged into Q9, then both into Q10."""
    remember(catalogue, "Q1", ["Q1"], ["tmdb/1"])
    catalogue.forbid(["Q1", "Q77"], ["tmdb/1"])
    follow_merged(catalogue, Merges(Q1="Q9"), daily=False)
    follow_merged(catalogue, Merges(Q1="Q10", Q9="Q10"), daily=False)
    assert catalogue.all_forgotten() == ["Q1", "Q9", "Q10", "Q77"]


@pytest.mark.parametrize("asked", ["Q1", "Q9", "Q10"])
def test_any_item_of_a_chain_of_merges_allows_all(catalogue: Catalogue, asked: str) -> None:
    """The old one, the one that people see now, and the one between; nobody else."""
    _merged_twice(catalogue)

    allowed = allow_again(catalogue, asked)

    assert allowed.items == ["Q1", "Q9", "Q10"]
    assert catalogue.all_forgotten() == ["Q77"]
    assert catalogue.forgotten_ids() == []
    assert not any(is_remembered(catalogue, qid) for qid in allowed.items)
    assert follow_merged(catalogue, Merges(Q1="Q10", Q9="Q10"), daily=False) == []


def test_chains_that_an_older_version_noted_under_one_item(catalogue: Catalogue) -> None:
    """Both were merged into Q10, and that was noted under Q9 only."""
    remember(catalogue, "Q1", ["Q1", "Q9"], ())
    remember(catalogue, "Q9", ["Q9", "Q10"], ())
    catalogue.forbid(["Q1", "Q9", "Q10"])

    assert allow_again(catalogue, "Q1").items == ["Q1", "Q9", "Q10"]
    assert catalogue.all_forgotten() == []


def test_a_twin_is_allowed_with_the_ids_that_forbade_it(catalogue: Catalogue) -> None:
    """Whom `forget` found beside the person, and whom a later search met."""
    ids = ["imdb/nm1", "tmdb/100"]
    remember(catalogue, "Q1", ["Q1", "Q2"], ids)
    catalogue.forbid(["Q1", "Q2"], ids)
    met = person(8, tmdb_ids=("7", "100"))
    assert catalogue.save_people([met]).forgotten == 1

    allowed = allow_again(catalogue, "Q8")

    assert (allowed.items, allowed.kept_ids) == (["Q1", "Q2", "Q8"], [])
    assert catalogue.save_people([met]).new == 1


def test_ids_that_nobody_noted_are_told_and_can_be_named(catalogue: Catalogue) -> None:
    """An older version noted none; others' are not told."""
    catalogue.forbid(["Q1"], ["imdb/nm1"])
    remember(catalogue, "Q5", ["Q5"], ["imdb/nm5"])
    catalogue.forbid(["Q5"], ["imdb/nm5"])

    assert allow_again(catalogue, "Q1").kept_ids == ["imdb/nm1"]
    assert catalogue.save_people([person(1, imdb_ids=("nm1",))]).new == 0
    # That look has noted by which id it was refused.
    assert allow_again(catalogue, "Q1").kept_ids == []
    assert catalogue.save_people([person(1, imdb_ids=("nm1",))]).new == 1
    assert catalogue.forgotten_ids() == ["imdb/nm5"]
    catalogue.forbid(["Q6"], ["imdb/nm6"])
    assert allow_again(catalogue, "Q6", ["imdb/nm6"]).kept_ids == []
    assert catalogue.forgotten_ids() == ["imdb/nm5"]


@pytest.mark.parametrize("dies_at", range(5))
def test_a_second_time_finishes_what_a_crash_left(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    """Whichever note was written or removed last; no id stays forbidden, and no note is left."""
    _merged_twice(catalogue)
    write, writes = catalogue.set_note, 0

    def dying(key: str, value: object) -> None:
        nonlocal writes
        if writes == dies_at:
            raise KeyboardInterrupt
        writes += 1
        write(key, value)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(catalogue, "set_note", dying)
        with pytest.raises(KeyboardInterrupt):
            allow_again(catalogue, "Q9")
    assert is_remembered(catalogue, "Q9")

    allow_again(catalogue, "Q9")

    assert (catalogue.all_forgotten(), catalogue.forgotten_ids()) == (["Q77"], [])
    assert not any(is_remembered(catalogue, qid) for qid in ("Q1", "Q9", "Q10"))
