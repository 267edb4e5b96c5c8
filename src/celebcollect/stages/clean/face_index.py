"""Notice one face under two people: compare a person's mean face with everybody's.

No index helps: faces are points in 128 dimensions, of which two people's are hardly twice as far
apart as two pictures of one person. So all means lie in one matrix (512 bytes for each person),
which takes what is new from the catalogue. One product with it finds the neighbours, for 100,000
people in milliseconds; looking at one picture takes a hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np
import numpy.typing as npt

from celebcollect.catalogue.base import FaceRecords
from celebcollect.catalogue.keys import number
from celebcollect.catalogue.state import PersonFace
from celebcollect.checks.base import Check, Rejection
from celebcollect.checks.face_facts import from_text
from celebcollect.checks.identity import Identity
from celebcollect.stages.clean.acquaintance import Acquaintance
from celebcollect.stages.clean.verdicts import Verdicts
from celebcollect.stages.reasons import CleanReason

Vector = npt.NDArray[np.float32]

MIN_PICTURES = 3
"""Fewer do not make a face that two people could be told apart by."""

_FIRST_ROWS = 1024
_CHUNK = 8192
"""Faces compared at once: the difference of a million would take as much memory as they do."""


class FaceIndex:
    """Everybody's mean faces, as one cleaner knows them."""

    def __init__(self, catalogue: FaceRecords, check: Identity) -> None:
        self._catalogue, self._check = catalogue, check
        self._mark = 0.0
        self._rows: dict[str, int] = {}
        self._matrix: Vector = np.empty((0, 0), dtype=np.float32)

    @classmethod
    def of(cls, catalogue: FaceRecords, checks: Sequence[Check]) -> Self | None:
        """Return the index for these checks, or None when they do not look at faces."""
        return next(
            (cls(catalogue, check) for check in checks if isinstance(check, Identity)), None
        )

    def hold_against(
        self, qid: str, verdicts: Verdicts, known: Acquaintance
    ) -> tuple[Verdicts, set[str]]:
        """
        Put what is left of a person in doubt when another one has the same face.

        Faces alone only flag: among many people everybody has somebody who looks alike. Where the
        two have a photograph in common as well, the pictures are kept out. A trusted portrait among
        the pictures proves them all.

        The face is written down before the others are looked at: of two people who are cleaned at
        the same time one at least meets the other.

        Args:
            qid: The person.
            verdicts: What the checks said of the person's pictures.
            known: Who has the same photographs.

        Returns:
            The verdicts, and the people who must be looked at again because of this face.
        """
        before = self._catalogue.faces_of([qid]).get(qid)
        face = self._face(qid, verdicts, before)
        if face is None:
            return verdicts, set()
        if face != before:
            self._catalogue.record_face(face)
        alike = self._alike(face)
        other = min(alike, key=number) if alike and not face.trusted else None
        if other != face.held_against:
            self._catalogue.record_face(replace(face, held_against=other))
        again = {
            one.qid
            for one in alike.values()
            if not one.trusted
            and (one.held_against is None or number(qid) < number(one.held_against))
        }
        again |= self._catalogue.faces_held_against(qid) - alike.keys()
        if other is None:
            return verdicts, again
        both = alike.keys() & known.share_photographs(_left(verdicts))
        other = min(both, key=number) if both else other
        return (
            _doubted(verdicts, alike[other], self._score(face, alike[other]), sure=bool(both)),
            again,
        )

    def _face(self, qid: str, verdicts: Verdicts, before: PersonFace | None) -> PersonFace | None:
        """Return the mean face of what identity left, an empty one where there was one, or None."""
        left = _left(verdicts)
        if len(left) < MIN_PICTURES:
            return replace(before, mean=b"", trusted=False, image="") if before else None
        vectors = np.stack(
            [
                from_text(str(verdicts.images[id_].facts[self._check.name]["embedding"]))
                for id_ in left
            ]
        )
        mean = vectors.mean(axis=0, dtype=np.float64).astype("<f4")
        nearest = left[int(np.linalg.norm(vectors - mean, axis=1).argmin())]
        return PersonFace(
            qid,
            self._check.version,
            mean.tobytes(),
            any(verdicts.identities[id_] == "reference" for id_ in left),
            nearest,
            before.held_against if before else None,
        )

    def _alike(self, face: PersonFace) -> dict[str, PersonFace]:
        """Return the other people with this face."""
        self._refresh()
        numbers = self._check.numbers
        if not face.mean or not self._rows:
            return {}
        mean, qids = np.frombuffer(face.mean, dtype="<f4"), list(self._rows)
        # No score is lower than the distance by the limit, so only the near ones need a score.
        reach = numbers.same_face * numbers.likeness.limit
        near: set[str] = set()
        for at in range(0, len(qids), _CHUNK):
            distances = np.linalg.norm(
                self._matrix[at : min(at + _CHUNK, len(qids))] - mean, axis=1
            )
            near.update(qids[at + row] for row in np.flatnonzero(distances <= reach))
        found = self._catalogue.faces_of(near - {face.qid})
        # As they are now: what the matrix remembers may have changed, or be of a person who is
        # forgotten.
        return {
            one.qid: one
            for one in found.values()
            if one.version == face.version
            and one.mean
            and self._score(one, face) <= numbers.same_face
        }

    def _score(self, one: PersonFace, other: PersonFace) -> float:
        means = (np.frombuffer(face.mean, dtype="<f4")[None] for face in (one, other))
        return float(self._check.numbers.likeness.scores(*means)[0, 0])

    def _refresh(self) -> None:
        """Take what was written since the last time."""
        faces, self._mark = self._catalogue.faces_since(self._mark)
        for face in faces:
            mean = (
                np.frombuffer(face.mean, dtype="<f4")
                if face.version == self._check.version
                else np.empty(0)
            )
            row = self._rows.get(face.qid)
            if row is None and not mean.size:
                continue
            row = self._rows.setdefault(face.qid, len(self._rows)) if row is None else row
            if row >= len(self._matrix):
                more: Vector = np.empty(
                    (max(_FIRST_ROWS, len(self._matrix)), mean.size), dtype=np.float32
                )
                self._matrix = np.concatenate([self._matrix, more]) if len(self._matrix) else more
            # A face that is gone is near nobody.
            self._matrix[row] = mean if mean.size else np.inf


def _left(verdicts: Verdicts) -> list[str]:
    """Return the pictures that the checks left, and whose faces were compared."""
    return sorted(verdicts.identities.keys() - verdicts.rejections.keys())


def _doubted(verdicts: Verdicts, other: PersonFace, score: float, *, sure: bool) -> Verdicts:
    detail = f"the face of {other.qid}, score {score:.2f}"
    if sure:
        detail += ", and a photograph of theirs is here too"
    said = {
        id_: Rejection(
            id_, CleanReason.SAME_FACE_OTHER_PERSON, detail=detail, duplicate_of=other.image
        )
        for id_ in _left(verdicts)
        # A person has said that these are right.
        if not verdicts.images[id_].restored_from
    }
    if not sure:
        return replace(verdicts, doubts=said)
    rejections = {id_: (Identity.name, one) for id_, one in said.items()}
    return replace(verdicts, rejections={**verdicts.rejections, **rejections})
