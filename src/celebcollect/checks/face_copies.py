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
from collections.abc import Mapping, Sequence
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
    copies: tuple[Rejection, ...]


def originals(
    pictures: Sequence[Picture],
    points: Embeddings,
    limits: CopyLimits | None,
    *,
    bystander: float,
) -> Originals:
    """
    Return the pictures without the copies of better ones; copies do not chain.

    Pictures without a fingerprint of this version are compared with nothing: no face that an older
    version has measured is looked at again. What somebody has restored stays, whatever it is a copy
    of.

    Args:
        pictures: With the facts of a face by one engine.
        points: (n, dimensions) float32, their embeddings.
        limits: Of that engine; None: nobody has measured them, and all pictures stay.
        bystander: Share of the largest face's width from which on a further face counts.
    """
    order = sorted(range(len(pictures)), key=lambda index: best_first(pictures[index]))
    like = _copies(pictures, points, limits, bystander) if limits else {}
    kept: dict[int, Picture] = {}
    copies = []
    for index in order:
        image = pictures[index].image
        found = {other: like[pair] for other in kept if (pair := _pair(index, other)) in like}
        if not found or image.restored_from:
            kept[index] = pictures[index]
            continue
        original = max(found, key=lambda other: found[other].correlation)
        kept[original] = kept[original].with_role_of(pictures[index])
        copies.append(
            Rejection(
                image.id,
                DuplicateReason.NEAR_DUPLICATE,
                detail=str(found[original]),
                duplicate_of=kept[original].image.id,
                is_copy=True,
            )
        )
    rows = tuple(sorted(kept))
    return Originals(tuple(kept[row] for row in rows), rows, tuple(copies))


def _fingerprint(facts: Mapping[str, JsonValue]) -> Fingerprint | None:
    return from_text(str(facts.get(FINGERPRINT, "")))


def _pair(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)


def _copies(
    pictures: Sequence[Picture], points: Embeddings, limits: CopyLimits, bystander: float
) -> dict[tuple[int, int], _Copy]:
    """Return the pairs that are the same photograph, the lower index first."""
    found_of = (_fingerprint(picture.facts("identity")) for picture in pictures)
    prints = {index: found for index, found in enumerate(found_of) if found is not None}
    distances = euclidean(points, points)
    pairs = [
        (one, other)
        for one, other in np.argwhere(np.triu(distances <= limits.distance, 1)).tolist()
        if one in prints and other in prints
    ]
    if not pairs:
        return {}
    alike = compare(*(np.stack([prints[pair[at]] for pair in pairs]) for at in (0, 1)))
    found = {}
    for at, pair in enumerate(pairs):
        correlation, distance = float(alike.face[at]), float(distances[pair])
        same_face = correlation >= limits.least_correlation(distance)
        is_mirrored = bool(alike.is_mirrored[at])
        if same_face and alike.around[at] >= limits.around:
            one, other = (faces_of(pictures[index].image) for index in pair)
            if _same_group(one, other, bystander, is_mirrored=is_mirrored):
                found[pair] = _Copy(correlation, distance, is_mirrored)
    return found


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
