"""Find the copies that hashes of whole pictures miss: cropped, mirrored, with a mark or a bar.

Two pictures of one person are the same photograph when the middle of their faces is, straight or
mirrored, and their embeddings are as near as those of copies are. Different shots of one session
differ in the face even where pose and light are the same. A picture with several faces is held
against others by its largest one, as strictly, and every other face that counts must be in both
pictures, in the same place beside it: a portrait that was cut out of a group, or put into one, is
another picture.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from celebcollect.checks.base import Picture, Rejection
from celebcollect.checks.duplicate import DuplicateReason, best_first
from celebcollect.checks.face_facts import FINGERPRINT, faces_of
from celebcollect.vision.base import Face
from celebcollect.vision.fingerprint import Fingerprint, compare, from_text
from celebcollect.vision.likeness import Embeddings, euclidean
from celebcollect.vision.numbers import CopyLimits

_APART, _LARGER = 0.5, 1.5
"""How far apart, by the largest face's width, a further face may be in two copies, and how many
times as wide: a detector's boxes come in steps of a fifth (a choice, not measured)."""

MAX_NEAREST = 32
"""Originals that a picture is held against, the nearest by their embeddings: those of copies are
nearer than those of other shots. One comparison takes 0.75 ms of CPU."""

MAX_PAIRS = 100_000
"""Comparisons for one person, 75 s of CPU: whoever publishes thousands of pictures of nearly one
face does not keep the others waiting. Pictures beyond that, the smallest, are compared no more."""

_BLOCK = 32
"""Pictures at once. Comparing a single pair costs as much as ten of many."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """How a picture is a copy of another."""

    correlation: float
    distance: float
    is_mirrored: bool

    def __str__(self) -> str:
        mirrored = ", mirrored" if self.is_mirrored else ""
        return (
            f"the same photograph by its face: correlation {self.correlation:.3f}, distance"
            f" {self.distance:.2f}{mirrored}"
        )


@dataclass(frozen=True, slots=True)
class Originals:
    """One person's pictures, each photograph once."""

    pictures: tuple[Picture, ...]
    """In the order that they had; each has taken over the role of its copies."""
    rows: tuple[int, ...]
    """Where they stood."""


def originals(
    pictures: Sequence[Picture],
    points: Embeddings,
    limits: CopyLimits | None,
    *,
    bystander: float,
) -> Generator[Rejection, None, Originals]:
    """
    Yield the copies of better pictures, as they are found, and return the others.

    Copies do not chain. Pictures without a fingerprint of this version are compared with nothing:
    no face that an older version has measured is looked at again. What somebody has restored stays,
    whatever it is a copy of.

    Args:
        pictures: With the facts of a face by one engine.
        points: (n, dimensions) float32, their embeddings.
        limits: Of that engine; None: nobody has measured them, and all pictures stay.
        bystander: Share of the largest face's width from which on a further face counts.
    """
    order = sorted(range(len(pictures)), key=lambda index: best_first(pictures[index]))
    compared = _Compared(pictures, points, limits, bystander) if limits else None
    kept: dict[int, Picture] = {}
    like: dict[int, dict[int, _Copy]] = {}
    for place, index in enumerate(order):
        if compared and place % _BLOCK == 0:
            like = compared.copies(order[place : place + _BLOCK], list(kept))
        image = pictures[index].image
        found = {other: copy for other, copy in like.get(index, {}).items() if other in kept}
        if not found or image.restored_from:
            kept[index] = pictures[index]
            continue
        original = max(found, key=lambda other: found[other].correlation)
        kept[original] = kept[original].with_role_of(pictures[index])
        yield Rejection(
            image.id,
            DuplicateReason.NEAR_DUPLICATE,
            detail=str(found[original]),
            duplicate_of=kept[original].image.id,
            is_copy=True,
        )
    rows = tuple(sorted(kept))
    return Originals(tuple(kept[row] for row in rows), rows)


def _fingerprint(facts: Mapping[str, JsonValue]) -> Fingerprint | None:
    return from_text(str(facts.get(FINGERPRINT, "")))


class _Compared:
    """Compares one person's pictures by their faces, as many pairs as are allowed."""

    def __init__(
        self,
        pictures: Sequence[Picture],
        points: Embeddings,
        limits: CopyLimits,
        bystander: float,
    ) -> None:
        found = (_fingerprint(picture.facts("identity")) for picture in pictures)
        self._prints = {row: print_ for row, print_ in enumerate(found) if print_ is not None}
        self._stay = {row for row, picture in enumerate(pictures) if picture.image.restored_from}
        self._pictures, self._points = pictures, points
        self._limits, self._bystander = limits, bystander
        self._left = MAX_PAIRS

    def copies(self, block: Sequence[int], kept: Sequence[int]) -> dict[int, dict[int, _Copy]]:
        """
        Return for the pictures of a block of which others they are copies, by row.

        Args:
            block: Rows, best first.
            kept: The originals before them.
        """
        block = [row for row in block if row in self._prints]
        kept = [row for row in kept if row in self._prints]
        like: dict[int, dict[int, _Copy]] = {row: {} for row in block}
        self._compare(self._near(block, kept), like)
        # Only they may become originals, which later ones of the block are copies of.
        loose = [row for row in block if not like[row] or row in self._stay]
        place = {row: at for at, row in enumerate(block)}
        self._compare(
            [pair for pair in self._near(block, loose) if place[pair[1]] < place[pair[0]]], like
        )
        return like

    def _near(self, block: Sequence[int], others: Sequence[int]) -> list[tuple[int, int]]:
        """Return the pairs whose embeddings are near enough, the nearest of each row."""
        if not block or not others:
            return []
        distances = euclidean(self._points[block], self._points[others])
        nearest = np.argsort(distances, axis=1, kind="stable")[:, :MAX_NEAREST]
        return [
            (row, others[at])
            for row, apart, order in zip(block, distances, nearest, strict=True)
            for at in order
            if apart[at] <= self._limits.distance
        ]

    def _compare(self, pairs: Sequence[tuple[int, int]], like: dict[int, dict[int, _Copy]]) -> None:
        pairs = pairs[: self._left]
        if not pairs:
            return
        self._left -= len(pairs)
        ordered = [(min(pair), max(pair)) for pair in pairs]  # no order of arrival matters
        alike = compare(*(np.stack([self._prints[pair[at]] for pair in ordered]) for at in (0, 1)))
        for at, (row, of) in enumerate(pairs):
            distance = float(np.linalg.norm(self._points[row] - self._points[of]))
            correlation, is_mirrored = float(alike.face[at]), bool(alike.is_mirrored[at])
            same_face = correlation >= self._limits.least_correlation(distance)
            if same_face and alike.around[at] >= self._limits.around:
                one, other = (faces_of(self._pictures[index].image) for index in (row, of))
                if _same_group(one, other, self._bystander, is_mirrored=is_mirrored):
                    like[row][of] = _Copy(correlation, distance, is_mirrored)


def _same_group(
    some: Sequence[Face], others: Sequence[Face], bystander: float, *, is_mirrored: bool
) -> bool:
    """Tell whether each further face that counts in one picture is in the other too."""
    first, second = (_beside_the_largest(faces) for faces in (some, others))
    if is_mirrored:
        second = [(-x, y, width) for x, y, width in second]
    return all(
        any(_same_place(face, other) for other in there)
        for here, there in ((first, second), (second, first))
        for face in here
        if face[2] >= bystander
    )


def _beside_the_largest(faces: Sequence[Face]) -> list[tuple[float, float, float]]:
    """Return where the other faces are and how wide, seen from the largest, by its width."""
    if len(faces) < 2:
        return []
    middles = [((face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2) for face in faces]
    (x, y), unit = middles[0], max(faces[0].width, 1.0)
    return [
        ((at[0] - x) / unit, (at[1] - y) / unit, face.width / unit)
        for at, face in zip(middles[1:], faces[1:], strict=True)
    ]


def _same_place(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    near = math.hypot(one[0] - other[0], one[1] - other[1]) <= _APART
    return near and max(one[2], other[2]) <= _LARGER * min(one[2], other[2])
