"""Say which clusters of faces are the person's: those like a reference, or else the largest one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True, slots=True)
class Compared:
    """Pictures of one album, how far apart their faces are, and which belong together."""

    pictures: Sequence[Picture]
    distances: Distances
    scores: Distances
    """At most 1 between faces of one person."""
    clusters: Sequence[Sequence[int]]


def anchored(compared: Compared, trusted: Sequence[int]) -> Iterator[Rejection | Acceptance]:
    """
    Yield the verdicts where there are references.

    Args:
        compared: The album.
        trusted: Indices of the references.
    """
    pictures, scores = compared.pictures, compared.scores
    for cluster in compared.clusters:
        # Of several references the nearest counts: people change in forty years.
        mean = float(scores[np.ix_(cluster, trusted)].mean(axis=0).min())
        is_person = mean <= 1 or not set(cluster).isdisjoint(trusted)
        for index in cluster:
            image = pictures[index].image
            if is_person:
                yield Acceptance(image.id, identity="reference")
            else:
                nearest = trusted[int(scores[index, trusted].argmin())]
                detail = (
                    f"distance {compared.distances[index, nearest]:.2f}, score"
                    f" {scores[index, nearest]:.2f}, on average {mean:.2f} for"
                    f" {len(cluster)} alike; 1 is the limit"
                )
                yield Rejection(
                    image.id,
                    IdentityReason.OTHER_PERSON,
                    detail=detail,
                    duplicate_of=pictures[nearest].image.id,
                )


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
