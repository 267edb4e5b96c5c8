"""Find the pictures that show somebody else: faces unlike the person's trusted portrait.

The rule was measured against ten others on folders with up to 60 % of wrong pictures: cluster the
faces, keep each cluster that is near the reference as a whole. It holds where the wrong ones are
the majority, because the reference decides and not the number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from celebcollect.checks import crashes
from celebcollect.checks.base import (
    Acceptance,
    Check,
    CheckSettings,
    CheckSpec,
    Facts,
    FileReason,
    Picture,
    Rejection,
)
from celebcollect.checks.clusters import Distances, average_link, pairwise
from celebcollect.checks.crashes import FaceEngineReason
from celebcollect.checks.face_facts import embedding_facts, faces_of, from_text
from celebcollect.checks.faces import lacks
from celebcollect.config.sections import CleanConfig
from celebcollect.domain.reasons import Reason
from celebcollect.vision.base import EngineCrashed, EngineSpec
from celebcollect.vision.engines import engine_for, numbers_for
from celebcollect.vision.looking import FaceInPicture, embed
from celebcollect.vision.workers import Workers, shared

VERSION = 1


class IdentityReason(Reason):
    """Why a face is not taken for the person's."""

    OTHER_PERSON = (
        "other_person",
        "clean",
        "The face is unlike those of the person's trusted portraits, or of the largest group of"
        " pictures.",
        "If the trusted portrait is wrong, mend it at its source; a larger"
        " `[clean] identity_threshold` is less strict.",
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

LINK = 0.65 / 0.60
"""
Mean distance up to which clusters are merged, by the threshold to the reference.

Measured on 113 photographs of 27 people: at 0.65 no cluster of one person falls apart and 2 of 210
pairs of people merge; at 0.60 one falls apart, which costs 2 % of the right pictures.
"""

SAME_FACE = 0.40 / 0.60
""" Distance of two people's mean faces up to which they are one face, by the threshold to the
reference.

Measured on 116 photographs of 27 people: between halves of one person's pictures it is 0.40 at most
in 99.5 % of the cases, between 3 pictures each of two people 0.47 at least.
"""


def build(settings: CheckSettings) -> Check | None:
    """
    Return the check for `[clean] identity_threshold` and `min_cluster`.

    None where faces are not looked at.

    Raises:
        ConfigError: As `faces.build`.
    """
    spec = engine_for(settings.clean)
    return Identity(settings.clean, spec, shared(spec, settings.clean.workers)) if spec else None


def embedding_version(spec: EngineSpec) -> str:
    """Return what embeddings of this engine are marked with; only those of one are compared."""
    return f"{VERSION} {spec.detector} {spec.embedder}"


class Identity:
    """Reject `other_person` and `undecided`; say of the others what their identity rests on."""

    name = "identity"

    def __init__(self, clean: CleanConfig, spec: EngineSpec, workers: Workers) -> None:
        self._threshold, self._min_cluster, self._workers = (
            numbers_for(clean, spec).likeness.limit,
            clean.min_cluster,
            workers,
        )
        self.version = embedding_version(spec)
        self.same_face = SAME_FACE * self._threshold
        """Distance of two people's mean faces up to which they are one face."""

    def fingerprint(self) -> str:
        """Return version, models and limits."""
        return (
            f"{self.version} threshold={self._threshold} min_cluster={self._min_cluster}"
            f" same={self.same_face:.3f}"
        )

    def measure(self, pictures: Sequence[Picture]) -> Iterator[tuple[str, Facts]]:
        """Yield the embedding of the largest face of each picture that has none by these models."""
        new = [picture for picture in pictures if self._is_new(picture)]
        wanted = (FaceInPicture(picture.stored, faces_of(picture.image)[0]) for picture in new)
        results = (
            (id_, found if isinstance(found, EngineCrashed) else embedding_facts(found))
            for id_, found in self._workers.run(embed, wanted)
        )
        yield from crashes.counted(results, new, name=self.name, version=self.version)

    def _is_new(self, picture: Picture) -> bool:
        return picture.facts(self.name).get("version") != self.version and bool(
            picture.facts("faces").get("faces")
        )

    def reject(self, pictures: Sequence[Picture]) -> Iterator[Rejection | Acceptance]:
        """Yield a verdict on every picture."""
        seen = []
        for picture in sorted(pictures, key=lambda picture: picture.image.id):
            facts = picture.facts(self.name)
            if "embedding" in facts:
                seen.append(picture)
            elif crashed := crashes.rejection(picture, self.name):
                yield crashed
            else:
                yield Rejection(
                    picture.image.id,
                    FileReason.CORRUPT_FILE,
                    detail=str(facts.get("broken", "no face to compare")),
                )
        if seen:
            distances = pairwise(
                np.stack(
                    [from_text(str(picture.facts(self.name)["embedding"])) for picture in seen]
                )
            )
            clusters = average_link(distances, LINK * self._threshold)
            trusted = _references(seen)
            yield from (
                self._anchored(seen, distances, clusters, trusted)
                if trusted
                else self._unanchored(seen, distances, clusters)
            )

    def _anchored(
        self,
        pictures: Sequence[Picture],
        distances: Distances,
        clusters: Sequence[Sequence[int]],
        trusted: Sequence[int],
    ) -> Iterator[Rejection | Acceptance]:
        for cluster in clusters:
            # Of several trusted portraits the nearest counts: people change in forty years.
            mean = float(distances[np.ix_(cluster, trusted)].mean(axis=0).min())
            is_person = mean <= self._threshold or not set(cluster).isdisjoint(trusted)
            for index in cluster:
                image = pictures[index].image
                if is_person:
                    yield Acceptance(image.id, identity="reference")
                else:
                    nearest = trusted[int(distances[index, trusted].argmin())]
                    detail = (
                        f"distance {distances[index, nearest]:.2f}, on average {mean:.2f} for"
                        f" {len(cluster)} alike"
                    )
                    yield Rejection(
                        image.id,
                        IdentityReason.OTHER_PERSON,
                        detail=detail,
                        duplicate_of=pictures[nearest].image.id,
                    )

    def _unanchored(
        self, pictures: Sequence[Picture], distances: Distances, clusters: Sequence[Sequence[int]]
    ) -> Iterator[Rejection | Acceptance]:
        sizes = sorted((len(cluster) for cluster in clusters), reverse=True)
        second = sizes[1] if len(sizes) > 1 else 0
        largest = max(clusters, key=len)
        decided = sizes[0] >= max(self._min_cluster, DOMINANCE * second)
        for cluster in clusters:
            for index in cluster:
                image = pictures[index].image
                if not decided:
                    detail = (
                        "no trusted portrait, and the largest groups of alike faces have"
                        f" {sizes[0]} and {second} pictures"
                    )
                    others = [other for other in range(len(pictures)) if other != index]
                    compared = min(others, key=distances[index].__getitem__, default=None)
                    if compared is not None:
                        detail += f"; distance {distances[index, compared]:.2f} to the nearest"
                    yield Rejection(
                        image.id,
                        IdentityReason.UNDECIDED,
                        detail=detail,
                        duplicate_of=None if compared is None else pictures[compared].image.id,
                    )
                elif len(cluster) == sizes[0]:
                    yield Acceptance(image.id, identity="largest cluster")
                else:
                    nearest = largest[int(distances[index, largest].argmin())]
                    detail = (
                        f"distance {distances[index, nearest]:.2f}, in a group of {len(cluster)},"
                        f" the largest has {sizes[0]}"
                    )
                    yield Rejection(
                        image.id,
                        IdentityReason.OTHER_PERSON,
                        detail=detail,
                        duplicate_of=pictures[nearest].image.id,
                    )


def _references(pictures: Sequence[Picture]) -> list[int]:
    """Return the indices of the pictures that are trusted most."""
    ranks = [picture.reference for picture in pictures if picture.reference is not None]
    return (
        [index for index, picture in enumerate(pictures) if picture.reference == min(ranks)]
        if ranks
        else []
    )


SPEC = CheckSpec(
    name="identity",
    order=70,
    build=build,
    reasons=(IdentityReason, FaceEngineReason, FileReason),
    lacks=lacks,
)
