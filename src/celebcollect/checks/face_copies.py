"""Find the copies that hashes of whole pictures miss: cropped, mirrored, with a mark or a bar.

Two pictures of one person are the same photograph when the middle of their faces is, straight or
mirrored, and their embeddings are as near as those of copies are. Different shots of one session
differ in the face even where pose and light are the same. A picture with several faces is held
against others by its largest one, as strictly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from celebcollect.checks.base import Picture, Rejection
from celebcollect.checks.duplicate import DuplicateReason, best_first
from celebcollect.checks.face_facts import FINGERPRINT
from celebcollect.vision.fingerprint import Fingerprint, compare, from_text
from celebcollect.vision.likeness import Embeddings, euclidean
from celebcollect.vision.numbers import CopyLimits


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
    pictures: Sequence[Picture], points: Embeddings, limits: CopyLimits | None
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
    """
    order = sorted(range(len(pictures)), key=lambda index: best_first(pictures[index]))
    like = _copies(pictures, points, limits) if limits else {}
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
    pictures: Sequence[Picture], points: Embeddings, limits: CopyLimits
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
        if same_face and alike.around[at] >= limits.around:
            found[pair] = _Copy(correlation, distance, bool(alike.is_mirrored[at]))
    return found
