"""Cleaning in any order of people, by any number of workers, in either catalogue: one outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import permutations
from typing import Any

import pytest

from catalogue.catalogue_backends import new_backend
from celebcollect.catalogue.base import Catalogue
from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from stages.clean_society import (
    PEOPLE,
    Society,
    counter,
    play,
    story,
    told_at_each_cleaning,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCatalogue]:
    """One catalogue for all examples, which take other people each."""
    found = EmbeddedCatalogue(tmp_path_factory.mktemp("society") / "catalogue.sqlite3")
    yield found
    found.close()


STORIES = range(12)


@pytest.fixture(scope="module")
def as_it_comes(catalogue: EmbeddedCatalogue) -> list[list[Any]]:
    """What one worker, who takes people as they come, makes of each story."""
    return [
        told_at_each_cleaning(Society(catalogue, next(counter)), story(seed)) for seed in STORIES
    ]


def test_the_stories_have_what_they_are_told_for(as_it_comes: list[list[Any]]) -> None:
    """Faces in doubt that stay and that go, shared photographs, copies, restored ones."""
    found = {verdict[:2] for said in as_it_comes for end in said for verdict in end.values()}

    assert found >= {
        ("accepted", "same_face_other_person"),
        ("rejected", "same_face_other_person"),
        ("rejected", "same_picture_other_person"),
        ("rejected", "near_duplicate"),
        ("rejected", "other_person"),
        ("rejected", "undecided"),
    }


def test_no_order_of_people_changes_what_follows(
    catalogue: EmbeddedCatalogue, as_it_comes: list[list[Any]]
) -> None:
    """New, restored and rejected pictures, other thresholds: whoever comes first."""
    orders = [order for order in permutations(range(PEOPLE)) if order != tuple(range(PEOPLE))]
    for seed in STORIES:
        shuffled = Society(catalogue, next(counter))
        order = orders[seed % len(orders)]

        assert told_at_each_cleaning(shuffled, story(seed), order=order) == as_it_comes[seed], seed


def test_a_dry_run_foresees_every_verdict(
    catalogue: EmbeddedCatalogue, as_it_comes: list[list[Any]]
) -> None:
    """Also those that follow for other people; looking ahead changes nothing of what comes."""
    for seed in STORIES:
        society, foreseen = Society(catalogue, next(counter)), []
        for step in [*story(seed), ("clean",)]:
            if step == ("clean",):
                foreseen.append(society.foreseen())
                society.clean()
            else:
                play(society, [step], often=False)

        statuses = [{key: said[:2] for key, said in end.items()} for end in foreseen]
        came = [{key: said[:2] for key, said in end.items()} for end in as_it_comes[seed]]
        assert statuses == came, seed


def test_four_workers_decide_as_one(
    catalogue: EmbeddedCatalogue, as_it_comes: list[list[Any]]
) -> None:
    """Whoever has which person, and whatever the others write meanwhile."""
    for seed in STORIES:
        crew = Society(catalogue, next(counter))

        assert told_at_each_cleaning(crew, story(seed), workers=4) == as_it_comes[seed], seed


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """One database of a server that speaks MongoDB's protocol, for all examples."""
    folder = tmp_path_factory.mktemp("society")
    with new_backend("java", folder) as backend, closing(backend.open()) as found:
        yield found


@pytest.mark.mongo
@pytest.mark.parametrize("workers", [1, 4])
def test_mongodb_decides_as_the_embedded_catalogue(
    server: Catalogue, as_it_comes: list[list[Any]], workers: int
) -> None:
    """The same stories, with one worker or four at once."""
    for seed in STORIES[4:8]:
        society = Society(server, next(counter))

        assert told_at_each_cleaning(society, story(seed), workers=workers) == as_it_comes[seed], (
            seed
        )
