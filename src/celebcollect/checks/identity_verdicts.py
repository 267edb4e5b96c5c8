"""Say which clusters of faces are the person's: those like a reference, or else the largest one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from celebcollect.checks.base import Acceptance, Picture, Rejection
from celebcollect.checks.clusters import Distances
from celebcollect.domain.reasons import Reason


class IdentityReason(Reason):
    """Why a face is not taken for the person's."""

    OTHER_PERSON = (
        "other_person",
        "clean",
        "The face is unlike those of the person's trusted portraits, or of the largest group of"
        " pictures.",
        "If the trusted portrait is wrong, mend it at its source; a picture that you `restore` is"
        " a portrait too.",
    )
    UNDECIDED = (
        "undecided",
        "clean",
        "No trusted portrait, and the pictures do not agree on who the person is.",
        "A trusted portrait settles it: collect with more sources.",
    )


DOMINANCE = 2
"""How many times larger than the second the largest cluster must be to be taken for the person
without a reference (a choice, not measured)."""


POOR_LIMIT, APART = 1.15, 1.1
"""How far a cluster may be from a portrait that failed a check, and how many times farther the next
one must be. Photographs of 15 people, blurred by 4 px of 512, from where on they are rejected: all
lie within 1.15 of the person's others, and at most 2 % of other people do (docs/faces.md)."""

FAR_LIMIT, FAR_APART = 1.5, 1.3
"""The same for a cluster that stands out: drawn faces blurred by 4 px lie up to 1.39 from their
own, and others at least 1.34 times as far."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Pictures of one album, how far apart their faces are, and which belong together."""

    pictures: Sequence[Picture]
    distances: Distances
    scores: Distances
    """At most 1 between faces of one person."""
    clusters: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class ReferenceFace:
    """How far a face of a reference is from each picture of the album."""

    scores: npt.NDArray[np.float32]
    distances: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture that is trusted to show the person, and perhaps others."""

    picture: Picture
    faces: Sequence[ReferenceFace]
    """The largest first; those of bystanders are there too."""
    shows_one: bool
    """Only the largest counts."""


def anchored(
    compared: Compared, references: Sequence[Reference]
) -> Iterator[Rejection | Acceptance]:
    """Yield the verdicts where there are references."""
    pictures = compared.pictures
    # Who shows the person alone says more than a picture with somebody else in it.
    alone = [reference for reference in references if reference.shows_one]
    faces = _people_in(alone or references, compared)
    # A portrait whose largest face is somebody else's proves nothing about that face.
    ids = {reference.picture.image.id for reference in references} - {
        reference.picture.image.id for face, reference in faces if face is not reference.faces[0]
    }
    # Of several references the nearest counts: people change in forty years.
    means = [
        min(float(face.scores[cluster].mean()) for face, _ in faces)
        for cluster in compared.clusters
    ]
    limit = _limit(references, means)
    for cluster, mean in zip(compared.clusters, means, strict=True):
        is_person = mean <= limit or any(pictures[index].image.id in ids for index in cluster)
        for index in cluster:
            image = pictures[index].image
            if is_person:
                yield Acceptance(image.id, identity="reference")
                continue
            nearest, reference = min(faces, key=lambda pair: float(pair[0].scores[index]))
            detail = (
                f"distance {nearest.distances[index]:.2f}, score {nearest.scores[index]:.2f}, on"
                f" average {mean:.2f} for {len(cluster)} alike; 1 is the limit"
            )
            yield Rejection(
                image.id,
                IdentityReason.OTHER_PERSON,
                detail=detail,
                duplicate_of=reference.picture.image.id,
            )


def _limit(references: Sequence[Reference], means: Sequence[float]) -> float:
    """
    Return the score up to which a cluster is the person.

    The face of a blurred or tiny portrait is unlike everybody's, and still most like the person's:
    where nobody is within the limit, the nearest cluster is taken that is not far beyond, if no
    other is about as near.
    """
    if not all(reference.picture.thrown_out for reference in references) or min(means) <= 1:
        return 1.0
    nearest, *further = sorted(means)
    if further and further[0] >= FAR_APART * nearest and nearest <= FAR_LIMIT:
        return nearest
    stands_out = not further or further[0] >= APART * nearest
    return nearest if stands_out and nearest <= POOR_LIMIT else 1.0


def _people_in(
    references: Sequence[Reference], compared: Compared
) -> list[tuple[ReferenceFace, Reference]]:
    """
    Return of each reference the face that is the person's.

    Where one face counts it is that, unless nobody else in the album is like it, or like that of
    another reference: then the person may be smaller in the portrait than somebody else.
    """
    best = {id(face): _like(face, one, compared) for one in references for face in one.faces}
    largest_alike = any(best[id(one.faces[0])] > 0 for one in references if one.shows_one)
    return [
        (
            one.faces[0]
            if one.shows_one and largest_alike
            else max(one.faces, key=lambda face: best[id(face)]),
            one,
        )
        for one in references
    ]


def _like(face: ReferenceFace, reference: Reference, compared: Compared) -> float:
    """
    Return how much of the album, the reference itself aside, a face of it is like; 0: of nothing.

    Many pictures that are just within the limit weigh less than a few that are much alike.
    """
    own = reference.picture.image.id
    likeness = 0.0
    for cluster in compared.clusters:
        rest = [index for index in cluster if compared.pictures[index].image.id != own]
        mean = float(face.scores[rest].mean()) if rest else 1.0
        likeness += len(rest) * max(0.0, 1 - mean)
    return likeness


def unanchored(compared: Compared, *, min_cluster: int) -> Iterator[Rejection | Acceptance]:
    """Yield the verdicts where there is no reference: a cluster that dominates is the person."""
    pictures, distances, clusters = compared.pictures, compared.distances, compared.clusters
    sizes = sorted((len(cluster) for cluster in clusters), reverse=True)
    second = sizes[1] if len(sizes) > 1 else 0
    largest = max(clusters, key=len)
    decided = sizes[0] >= max(min_cluster, DOMINANCE * second)
    for cluster in clusters:
        for index in cluster:
            image = pictures[index].image
            if not decided:
                yield _undecided(compared, index, sizes[0], second)
            elif len(cluster) == sizes[0]:
                yield Acceptance(image.id, identity="largest cluster")
            else:
                nearest = largest[int(compared.scores[index, largest].argmin())]
                detail = (
                    f"distance {distances[index, nearest]:.2f}, score"
                    f" {compared.scores[index, nearest]:.2f}, in a group of {len(cluster)}, the"
                    f" largest has {sizes[0]}"
                )
                yield Rejection(
                    image.id,
                    IdentityReason.OTHER_PERSON,
                    detail=detail,
                    duplicate_of=pictures[nearest].image.id,
                )


def _undecided(compared: Compared, index: int, first: int, second: int) -> Rejection:
    detail = (
        "no trusted portrait, and the largest groups of alike faces have"
        f" {first} and {second} pictures"
    )
    others = [other for other in range(len(compared.pictures)) if other != index]
    nearest = min(others, key=compared.scores[index].__getitem__, default=None)
    if nearest is not None:
        detail += f"; distance {compared.distances[index, nearest]:.2f} to the nearest"
    return Rejection(
        compared.pictures[index].image.id,
        IdentityReason.UNDECIDED,
        detail=detail,
        duplicate_of=None if nearest is None else compared.pictures[nearest].image.id,
    )
