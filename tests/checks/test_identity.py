"""Identity: other people's pictures go, however many they are, and the person's own stay."""

from __future__ import annotations

import io
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from celebcollect.checks.base import Acceptance, Picture, Rejection
from celebcollect.checks.clusters import average_link
from celebcollect.checks.face_facts import to_text
from celebcollect.vision.likeness import euclidean
from checks.check_pictures import picture_of
from checks.face_photos import Photo, identity_check, people

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def albums(captured: tuple[Photo, ...]) -> dict[str, list[Picture]]:
    """The photographs of the people who have at least four."""
    return people(captured, at_least=4)


def removed(pictures: Sequence[Picture], **settings: Any) -> dict[str, Rejection]:
    return {
        said.id: said
        for said in identity_check(**settings).reject(pictures)
        if isinstance(said, Rejection)
    }


def dirty(
    albums: dict[str, list[Picture]], share: float, *, one: bool, source: random.Random
) -> Iterator[tuple[list[Picture], list[Picture], Picture]]:
    """Yield the right pictures of each person, wrong ones of one or many, and a portrait."""
    for person, album in albums.items():
        reference, *right = source.sample(album, len(album))
        # An album of few pictures cannot hold 5 %: then some albums get one wrong picture and
        # others none.
        count = int(share * len(right) / (1 - share) + source.random())
        if one:
            others = source.choice(
                [
                    pictures
                    for other, pictures in albums.items()
                    if other != person and len(pictures) >= min(count, 5)
                ]
            )
        else:
            others = [
                picture
                for other, pictures in albums.items()
                if other != person
                for picture in pictures
            ]
        if count > len(others):
            count, right = len(others), right[: round(len(others) * (1 - share) / share)]
        yield right, source.sample(others, count), replace(reference, reference=0)


@pytest.mark.parametrize("one", [False, True], ids=["many", "one"])
@pytest.mark.parametrize("share", [0.05, 0.20, 0.40, 0.60])
def test_wrong_people_are_removed_and_the_right_ones_kept(
    albums: dict[str, list[Picture]], share: float, *, one: bool
) -> None:
    """
    With a trusted portrait, 98 % of the removed are wrong, and 98 % of the wrong are removed.

    Even where the wrong are the majority.
    """
    source, counts = random.Random(5), Counter[str]()

    # where few are wrong, more often: some 1,300 wrong pictures for each share
    for _ in range(round(16 / share)):
        for right, wrong, reference in dirty(albums, share, one=one, source=source):
            gone = removed([reference, *right, *wrong])
            counts["removed, wrong"] += sum(picture.image.id in gone for picture in wrong)
            counts["removed"] += len(gone)
            counts["wrong"] += len(wrong)
            counts["all"] += len(right) + len(wrong)

    assert counts["wrong"] >= 1000
    assert counts["wrong"] / counts["all"] == pytest.approx(share, rel=0.1)
    assert counts["removed, wrong"] >= 0.98 * counts["removed"]
    assert counts["removed, wrong"] >= 0.98 * counts["wrong"]


def person(qid: str, centre: Sequence[float], *shifts: float, **facts: Any) -> list[Picture]:
    """Make pictures whose embeddings lie around a centre."""
    made = []
    for number, shift in enumerate(shifts):
        pixels = np.random.default_rng([int(qid[1:]), number]).integers(
            0, 256, (8, 8, 3), dtype=np.uint8
        )
        embedding = np.zeros(128, dtype=np.float32)
        embedding[:4] = *centre, shift
        facts_of = {
            "faces": {"faces": [[1, 0, 0, 9, 9]]},
            "identity": {"version": identity_check().version, "embedding": to_text(embedding)},
        }
        made.append(replace(picture_of(_png(pixels), file=Path("unread"), facts=facts_of), **facts))
    return made


def _png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Pillow.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


ME, YOU, HER = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def test_a_rejection_names_the_distance_and_the_portrait() -> None:
    """Whoever looks at a rejected picture sees how far it is from what."""
    portrait, mine, yours = (
        person("Q1", ME, 0.0, reference=0),
        person("Q2", ME, 0.1, 0.2),
        person("Q3", YOU, 0.0, 0.1),
    )

    gone = removed([*portrait, *mine, *yours])

    assert set(gone) == {picture.image.id for picture in yours}
    assert {(said.reason, said.duplicate_of) for said in gone.values()} == {
        ("other_person", portrait[0].image.id)
    }
    assert "distance 1.00" in (gone[yours[0].image.id].detail or "")


def test_portraits_of_wikidata_are_trusted_before_those_of_tmdb() -> None:
    """Where both are there and differ, P18 decides."""
    first, second = person("Q1", ME, 0.0, reference=0), person("Q2", YOU, 0.0, reference=1)

    assert set(removed([*first, *second, *person("Q3", ME, 0.1)])) == {second[0].image.id}


def test_several_portraits_are_several_ways_to_look() -> None:
    """Of a person who changed, pictures like any of the trusted portraits stay."""
    portraits = [*person("Q1", ME, 0.0, reference=0), *person("Q2", YOU, 0.0, reference=0)]

    assert set(
        removed(
            [
                *portraits,
                *person("Q3", ME, 0.1),
                *person("Q4", YOU, 0.1),
                *(other := person("Q5", HER, 0.1)),
            ]
        )
    ) == {other[0].image.id}


def test_nobody_like_the_portrait_leaves_nobody() -> None:
    """When no picture is like the trusted portrait, only that stays, however many agree."""
    portrait, crowd = (
        person("Q1", ME, 0.0, reference=0),
        person("Q2", YOU, *(number / 100 for number in range(10))),
    )

    assert set(removed([*portrait, *crowd])) == {picture.image.id for picture in crowd}


def test_without_a_portrait_a_dominant_group_is_taken_and_marked() -> None:
    """Three that agree, twice as many as others, are taken for the person, which is said."""
    group, other = person("Q1", ME, 0.0, 0.1, 0.2), person("Q2", YOU, 0.0)

    said = list(identity_check().reject([*group, *other]))

    assert {one.id: one.identity for one in said if isinstance(one, Acceptance)} == {
        picture.image.id: "largest cluster" for picture in group
    }
    gone = [one for one in said if isinstance(one, Rejection)]
    assert [(one.id, one.reason) for one in gone] == [(other[0].image.id, "other_person")]
    assert (gone[0].detail or "").startswith("distance 1.0")
    assert gone[0].duplicate_of in {picture.image.id for picture in group}


@pytest.mark.parametrize(
    ("mine", "yours"),
    [(1, 0), (2, 0), (3, 2), (3, 3)],
    ids=["one", "two", "no clear majority", "a tie"],
)
def test_without_a_portrait_and_a_dominant_group_nothing_is_guessed(mine: int, yours: int) -> None:
    """Too few pictures, or two groups of similar size: all are kept apart as undecided."""
    pictures = [
        *person("Q1", ME, *(number / 10 for number in range(mine))),
        *person("Q2", YOU, *(number / 10 for number in range(yours))),
    ]

    gone = removed(pictures)

    assert {said.reason for said in gone.values()} == {"undecided"}
    assert len(gone) == len(pictures)
    compared = {said.duplicate_of for said in gone.values()}
    assert compared <= set(gone) if len(pictures) > 1 else compared == {None}
    assert all(
        id_ != said.duplicate_of and ("distance" in (said.detail or "")) == (len(pictures) > 1)
        for id_, said in gone.items()
    )


def test_the_order_of_pictures_changes_nothing() -> None:
    """Verdicts depend on the set alone."""
    pictures = [
        *person("Q1", ME, 0.0, 0.1, 0.4, 0.5),
        *person("Q2", YOU, 0.0, 0.2),
        *person("Q3", HER, 0.0),
    ]
    source = random.Random(1)

    outcomes = {frozenset(removed(source.sample(pictures, len(pictures)))) for _ in range(20)}

    assert len(outcomes) == 1


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_clusters_are_those_of_scipy(count: int) -> None:
    """Our average linkage merges what SciPy's merges."""
    for seed in range(20):
        points = np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)
        distances = euclidean(points, points)
        np.fill_diagonal(distances, 0)
        expected = (
            fcluster(linkage(squareform(distances, checks=False), "average"), 1.5, "distance")
            if count > 1
            else [1]
        )

        found = average_link(distances, 1.5)

        assert {frozenset(cluster) for cluster in found} == {
            frozenset(np.flatnonzero(np.equal(expected, label))) for label in set(expected)
        }


def test_a_thousand_pictures_are_clustered_in_seconds() -> None:
    """The work stays small for a person with very many pictures."""
    points = np.random.default_rng(1).normal(size=(1000, 128)).astype(np.float32)
    started = time.process_time()

    average_link(euclidean(points, points), 15.0)

    assert time.process_time() - started < 20
