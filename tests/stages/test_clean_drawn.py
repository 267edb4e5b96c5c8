"""Albums of drawn people with one thing wrong: the right pictures stay, in each of 20 draws."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from PIL import Image as Pillow
from PIL import ImageFilter, ImageOps

from celebcollect.checks import build_checks
from celebcollect.checks.base import Check, Picture
from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.demo.cast import CAST
from celebcollect.demo.drawing import encode, portrait
from celebcollect.domain.records import Facts
from celebcollect.stages.clean.verdicts import judge
from checks.check_pictures import picture_of
from checks.face_photos import need_engine
from simulations import module_of

pytestmark = pytest.mark.slow

DRAWS = 20
SHOTS = tuple(range(6))
LOOKS = tuple(player.looks for number, player in enumerate(CAST[:6]) if number != 2)
"""The blurred face of one is not always found."""

Album = tuple[list[Picture], list[Picture], Picture]
"""Own pictures, those of a co-star, and the portrait."""


class Studio:
    """Draws pictures, and looks at each of them once for all albums."""

    def __init__(self, folder: Path, commons: Any) -> None:
        self._folder, self._commons = folder, commons
        self._facts: dict[str, dict[str, Facts]] = {}
        clean = CleanConfig(faces="required", workers=1, identity_threshold=0.25)
        self._checks: list[Check] = build_checks(clean, StoreConfig())

    def picture(self, drawn: Pillow.Image, *, reference: int | None = None) -> Picture:
        return replace(picture_of(encode(drawn), self._folder), reference=reference)

    def ranks(self, pictures: list[Picture]) -> list[int | None]:
        """Return how much each is trusted when Wikidata names the first by a former title."""
        ranks: list[int | None] = self._commons.ranks([picture.image for picture in pictures])
        return ranks

    def verdicts(self, pictures: list[Picture]) -> dict[str, str | None]:
        """Return the reason of each picture, None where it stays."""
        known = [
            replace(
                picture,
                image=picture.image.model_copy(
                    update={"facts": self._facts.get(picture.image.id, {})}
                ),
            )
            for picture in pictures
        ]
        found = judge(known, self._checks, measured=lambda _: None)
        self._facts |= {id_: image.facts for id_, image in found.images.items()}
        gone = {id_: said.reason.value for id_, (_, said) in found.rejections.items()}
        return {picture.image.id: gone.get(picture.image.id) for picture in pictures}


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    need_engine()
    renamed_files = module_of("renamed_file").RenamedFiles
    with TemporaryDirectory() as folder, renamed_files() as commons:
        yield Studio(Path(folder), commons)


@cache
def shot(person: int, number: int) -> Pillow.Image:
    return portrait(LOOKS[person], number)


def beside(one: Pillow.Image, other: Pillow.Image) -> Pillow.Image:
    both = Pillow.new("RGB", (one.width + other.width, one.height))
    both.paste(one, (0, 0))
    both.paste(other, (one.width, 0))
    return both


def larger_copy(studio: Studio, own: list[Picture], drawn: Pillow.Image, _: int) -> Picture:
    """Somebody else offers the portrait 1.3 times larger."""
    own.append(studio.picture(drawn.resize((624, 624), Pillow.Resampling.LANCZOS)))
    return studio.picture(drawn, reference=0)


def mirrored_copy(studio: Studio, own: list[Picture], drawn: Pillow.Image, _: int) -> Picture:
    """Somebody else offers the portrait larger, the other way round and cropped."""
    turned = ImageOps.mirror(drawn).crop((10, 10, 470, 470))
    own.append(studio.picture(turned.resize((624, 624), Pillow.Resampling.LANCZOS)))
    return studio.picture(drawn, reference=0)


def two_faces(studio: Studio, _own: list[Picture], drawn: Pillow.Image, third: int) -> Picture:
    """Somebody who is nowhere else in the album stands on the left, so is looked at first."""
    return studio.picture(beside(shot(third, 0), drawn), reference=0)


def overshadowed(studio: Studio, _own: list[Picture], drawn: Pillow.Image, third: int) -> Picture:
    """The person is so small beside somebody else that only the other one's face counts."""
    smaller = drawn.resize((216, 216), Pillow.Resampling.LANCZOS)
    return studio.picture(beside(shot(third, 0), smaller), reference=0)


def blurred(studio: Studio, _own: list[Picture], drawn: Pillow.Image, _: int) -> Picture:
    return studio.picture(drawn.filter(ImageFilter.GaussianBlur(4)), reference=0)


def renamed(studio: Studio, own: list[Picture], drawn: Pillow.Image, _: int) -> Picture:
    """Commons has another name for the file now; its own process proves what it was."""
    portrait = studio.picture(drawn)
    rank, *others = studio.ranks([portrait, *own])
    assert others == [None] * len(own)
    return replace(portrait, reference=rank)


def nothing(studio: Studio, _own: list[Picture], drawn: Pillow.Image, _: int) -> Picture:
    return studio.picture(drawn, reference=0)


@pytest.mark.parametrize(
    ("fault", "portrait_is"),
    [
        (larger_copy, "near_duplicate"),
        (mirrored_copy, "near_duplicate"),
        (two_faces, "several_faces"),
        (overshadowed, "other_person"),
        (blurred, "blurred"),
        (renamed, None),
        (nothing, None),
    ],
)
@pytest.mark.parametrize("co_star", [2, 5], ids=["few wrong", "a co-star in the majority"])
def test_the_right_pictures_stay(
    studio: Studio,
    fault: Callable[[Studio, list[Picture], Pillow.Image, int], Picture],
    portrait_is: str | None,
    co_star: int,
) -> None:
    """
    Whatever happened to the portrait, it shows the person: own pictures stay, others go.

    Draws in which the detector overlooks a face of the portrait are drawn again: nobody could tell.
    """
    dice, counted = random.Random(3), 0
    for _ in range(2 * DRAWS):
        me, other, third = dice.sample(range(len(LOOKS)), 3)
        first, *rest = dice.sample(SHOTS, 4)
        own = [studio.picture(shot(me, number)) for number in rest]
        wrong = [studio.picture(shot(other, number)) for number in dice.sample(SHOTS, co_star)]
        trusted = fault(studio, own, shot(me, first), third)

        said = studio.verdicts([*own, *wrong, trusted])

        if said[trusted.image.id] != portrait_is:
            continue
        counted += 1
        assert {said[picture.image.id] for picture in own} == {None}
        assert {said[picture.image.id] for picture in wrong} == {"other_person"}
        if counted == DRAWS:
            return
    pytest.fail(f"only {counted} portraits are {portrait_is}")
