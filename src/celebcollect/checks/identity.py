"""Find the pictures that show somebody else: faces unlike the person's trusted portrait.

The rule was measured against ten others on folders with up to 60 % of wrong pictures: cluster the
faces, keep each cluster that is near the reference as a whole. It holds where the wrong ones are
the majority, because the reference decides and not the number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
from pydantic import JsonValue

from celebcollect.checks import crashes
from celebcollect.checks.base import (
    RESTORED,
    Acceptance,
    Check,
    CheckSettings,
    CheckSpec,
    Facts,
    FileReason,
    Picture,
    Rejection,
)
from celebcollect.checks.beside import known_beside
from celebcollect.checks.clusters import average_link
from celebcollect.checks.crashes import FaceEngineReason
from celebcollect.checks.face_copies import originals
from celebcollect.checks.face_facts import (
    counted_faces,
    faces_of,
    from_text,
    measured_facts,
    to_text,
)
from celebcollect.checks.faces import lacks
from celebcollect.checks.identity_verdicts import (
    Compared,
    IdentityReason,
    Reference,
    ReferenceFace,
    anchored,
    unanchored,
)
from celebcollect.config.sections import CleanConfig
from celebcollect.vision.base import Embedding, EngineCrashed, EngineSpec, Face
from celebcollect.vision.engines import engine_for, numbers_for
from celebcollect.vision.likeness import Embeddings, euclidean
from celebcollect.vision.looking import FaceInPicture, embed, measure
from celebcollect.vision.workers import Workers, shared

VERSION = 1
"""Of what is measured: another one embeds every face anew."""

RULE = 4
"""Of how it is judged: another one only decides anew."""


def build(settings: CheckSettings) -> Check | None:
    """
    Return the check for the limits of `[clean]`, or None where faces are not looked at.

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
    wants_portraits = True

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
        """
        Yield the embedding of the largest face of each picture that has none by these models.

        Of a portrait in which more faces are found, also those: the largest need not be the person.
        """
        known = dict(known_beside(self.name, self.version, pictures))
        yield from known.items()
        for id_, found in self._largest([one for one in pictures if one.image.id not in known]):
            known[id_] = found
            yield id_, found
        for picture in pictures:
            facts = known.get(picture.image.id) or picture.facts(self.name)
            others = self._further_faces(picture)
            if others and "embedding" in facts and "others" not in facts:
                wanted = (FaceInPicture(picture.stored, face) for face in others)
                vectors = [found for _, found in self._workers.run(embed, wanted)]
                texts: list[JsonValue] = [
                    to_text(found) for found in vectors if isinstance(found, np.ndarray)
                ]
                yield picture.image.id, {**facts, "others": texts}

    def _further_faces(self, picture: Picture) -> list[Face]:
        """Return the faces of a portrait beside the largest, those of bystanders too."""
        if picture.reference is None:
            return []
        smallest_px = self.numbers.smallest_face_px
        return [face for face in faces_of(picture.image)[1:] if face.width >= smallest_px]

    def _largest(self, pictures: Sequence[Picture]) -> Iterator[tuple[str, Facts]]:
        new = [picture for picture in pictures if self._is_new(picture)]
        wanted = (FaceInPicture(picture.stored, faces_of(picture.image)[0]) for picture in new)
        results = (
            (id_, found if isinstance(found, EngineCrashed) else measured_facts(found))
            for id_, found in self._workers.run(measure, wanted)
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
            if picture.thrown_out:
                continue
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
            points = np.stack([self._faces(picture)[0] for picture in seen])
            bystander = self.numbers.bystander_fraction
            once = yield from originals(seen, points, self.numbers.copies, bystander=bystander)
            points = points[list(once.rows)]
            compared = self._compared(once.pictures, points)
            thrown_out = [picture for picture in pictures if picture.thrown_out]
            references = self._references([*once.pictures, *thrown_out], points)
            yield from (
                anchored(compared, references)
                if references
                else unanchored(compared, min_cluster=self._min_cluster)
            )

    def _faces(self, picture: Picture) -> list[Embedding]:
        """Return the embeddings of a picture: the largest face's, of a portrait all others too."""
        facts = picture.facts(self.name)
        is_portrait = picture.reference is not None
        others = cast("list[str]", facts.get("others", [])) if is_portrait else []
        return [from_text(text) for text in (str(facts["embedding"]), *others)]

    def _references(self, pictures: Sequence[Picture], points: Embeddings) -> list[Reference]:
        return [
            Reference(
                picture,
                [
                    ReferenceFace(
                        self.numbers.likeness.scores(points, face[None])[:, 0],
                        euclidean(points, face[None])[:, 0],
                    )
                    for face in self._faces(picture)
                ],
                not picture.thrown_out or len(counted_faces(picture.image, self.numbers)) <= 1,
            )
            for picture in _trusted_most(pictures)
            if "embedding" in picture.facts(self.name)
        ]

    def _compared(self, pictures: Sequence[Picture], points: Embeddings) -> Compared:
        scores = self.numbers.likeness.scores(points, points)
        np.fill_diagonal(scores, 0)
        return Compared(
            pictures,
            euclidean(points, points),
            scores,
            average_link(scores, self.numbers.link),
        )


def _trusted_most(pictures: Sequence[Picture]) -> list[Picture]:
    """Return the portraits of the most trusted source, and whatever somebody has restored."""
    trusted = [picture for picture in pictures if picture.reference is not None]
    ranks = [picture.reference or 0 for picture in trusted]
    wanted = {min(ranks, default=0), RESTORED}
    in_order = sorted(trusted, key=lambda picture: picture.image.id)
    return [picture for picture in in_order if picture.reference in wanted]


SPEC = CheckSpec(
    name="identity",
    order=70,
    build=build,
    reasons=(IdentityReason, FaceEngineReason, FileReason),
    lacks=lacks,
)
