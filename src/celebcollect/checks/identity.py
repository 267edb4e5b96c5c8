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
from celebcollect.checks.clusters import average_link
from celebcollect.checks.crashes import FaceEngineReason
from celebcollect.checks.face_facts import embedding_facts, faces_of, from_text
from celebcollect.checks.faces import lacks
from celebcollect.checks.identity_verdicts import Compared, IdentityReason, anchored, unanchored
from celebcollect.config.sections import CleanConfig
from celebcollect.vision.base import EngineCrashed, EngineSpec
from celebcollect.vision.engines import engine_for, numbers_for
from celebcollect.vision.likeness import euclidean
from celebcollect.vision.looking import FaceInPicture, embed
from celebcollect.vision.workers import Workers, shared

VERSION = 1
"""Of what is measured: another one embeds every face anew."""

RULE = 2
"""Of how it is judged: another one only decides anew."""


def build(settings: CheckSettings) -> Check | None:
    """
    Return the check for the engine and the limits of `[clean]`, or None where faces are not looked at.

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
        self.numbers = numbers_for(clean, spec)
        """Limits of the engine: how likeness is scored, and up to where two faces are one."""
        self._min_cluster, self._workers = clean.min_cluster, workers
        self.version = embedding_version(spec)

    def fingerprint(self) -> str:
        """Return version, models, rule and limits."""
        numbers = self.numbers
        return (
            f"{self.version} rule={RULE} {numbers.likeness.label} link={numbers.link:.3f}"
            f" same={numbers.same_face:.3f} min_cluster={self._min_cluster}"
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
            compared = self._compared(seen)
            trusted = _references(seen)
            yield from (
                anchored(compared, trusted)
                if trusted
                else unanchored(compared, min_cluster=self._min_cluster)
            )

    def _compared(self, pictures: Sequence[Picture]) -> Compared:
        points = np.stack(
            [from_text(str(picture.facts(self.name)["embedding"])) for picture in pictures]
        )
        scores = self.numbers.likeness.scores(points, points)
        np.fill_diagonal(scores, 0)
        return Compared(
            pictures,
            euclidean(points, points),
            scores,
            average_link(scores, self.numbers.link),
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
