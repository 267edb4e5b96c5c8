"""However many pictures of nearly one face there are, finding copies takes bounded work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from celebcollect.checks import face_copies
from celebcollect.checks.base import Picture, Rejection
from celebcollect.checks.face_copies import MAX_NEAREST, originals
from celebcollect.domain.records import Image, Status, image_id
from celebcollect.stages.clean.person import Stopped
from celebcollect.stages.clean.verdicts import judge
from celebcollect.vision import fingerprint
from celebcollect.vision.fingerprint import Alike, Fingerprint
from celebcollect.vision.numbers import DLIB

LENGTH = 24 * 24 + 12 * 12 * 3
FACE = np.random.default_rng(1).integers(1, 256, LENGTH).astype(np.uint8)


def picture(number: int, print_: Fingerprint) -> Picture:
    """Return a picture with this fingerprint; the lower the number, the larger it is."""
    url = f"https://a.example/{number:05}"
    return Picture(
        Image(
            id=image_id("Q1", url),
            qid="Q1",
            name="A Person",
            status=Status.STORED,
            source="google",
            url=url,
            sha256=f"{number:064x}",
            width_px=5000 - number,
            height_px=500,
            facts={"identity": {"fingerprint": fingerprint.to_text(print_)}},
        ),
        Path("none.jpg"),
    )


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Compare for equality, and return how many pairs each call has compared so far."""
    counted: list[int] = []

    def counting(some: Fingerprint, others: Fingerprint) -> Alike:
        counted.append(len(some))
        same = (some == others).all(axis=1)
        return Alike(same.astype(float), np.ones(len(some)), np.zeros(len(some), dtype=bool))

    monkeypatch.setattr(face_copies, "compare", counting)
    return counted


def found(pictures: list[Picture], points: np.ndarray) -> list[Rejection]:
    return list(originals(pictures, points, DLIB.copies, bystander=0.5))


def test_copies_of_one_photograph_are_compared_with_it_alone(pairs: list[int]) -> None:
    """Not with one another, but for the first few: 500 pictures are 964 pairs, and were 124,750."""
    pictures = [picture(number, FACE) for number in range(500)]

    copies = found(pictures, np.zeros((500, 128), np.float32))

    assert len(copies) == 499
    assert {said.duplicate_of for said in copies} == {pictures[0].image.id}
    assert sum(pairs) == 32 * 31 / 2 + 500 - 32


def test_other_shots_are_held_against_the_nearest_ones(pairs: list[int]) -> None:
    """Faces as near as one person's, and no copies: so many comparisons a picture, and no more."""
    rng = np.random.default_rng(2)
    prints = rng.integers(1, 256, (400, LENGTH)).astype(np.uint8)
    prints[399] = prints[3]  # a copy of one of them, among all the others
    points = rng.normal(0, 0.005, (400, 128)).astype(np.float32)
    points[399] = points[3]

    copies = found([picture(number, one) for number, one in enumerate(prints)], points)

    assert [said.id for said in copies] == [picture(399, FACE).image.id]
    assert max(pairs) <= 32 * MAX_NEAREST
    assert sum(pairs) < 400 * (MAX_NEAREST + 16)


def test_there_is_a_bound_for_one_person(pairs: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes beyond it stays, and costs nothing."""
    monkeypatch.setattr(face_copies, "MAX_PAIRS", 10)

    copies = found([picture(n, FACE) for n in range(20)], np.zeros((20, 128), np.float32))

    assert sum(pairs) == 10
    assert [said.duplicate_of for said in copies] == [picture(0, FACE).image.id] * len(copies)
    assert 0 < len(copies) <= 10


def test_deciding_can_be_stopped_and_holds_the_claim_between_verdicts(pairs: list[int]) -> None:
    """It is asked with each copy that is found, not when all are."""
    pictures = [picture(number, FACE) for number in range(300)]

    class Copies:
        name = "identity"

        def fingerprint(self) -> str:
            return "1"

        def reject(self, pictures: Sequence[Picture]) -> Iterator[Rejection]:
            yield from originals(
                pictures, np.zeros((300, 128), np.float32), DLIB.copies, bystander=0.5
            )

    looks: list[int] = []

    def measured(images: Mapping[str, Image]) -> None:
        looks.append(len(images))
        if len(looks) == 40:
            raise Stopped

    with pytest.raises(Stopped):
        judge(pictures, [Copies()], measured=measured)

    assert len(pairs) == 2
