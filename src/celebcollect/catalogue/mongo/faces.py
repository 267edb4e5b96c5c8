"""Faces in MongoDB."""

from __future__ import annotations

import time
from collections.abc import Collection

from celebcollect.catalogue.mongo import forgetting
from celebcollect.catalogue.mongo.documents import MANY, Document, among
from celebcollect.catalogue.mongo.part import MongoPart, retried
from celebcollect.catalogue.state import PersonFace
from celebcollect.domain.batches import batches

OVERLAP_S = 300.0
"""How far back a mark reaches: clocks of machines differ, and a write takes its time. Claims want
clocks that agree better than that."""


class MongoFaces(MongoPart):
    """See `base.FaceRecords`."""

    @retried
    def record_face(self, face: PersonFace) -> None:
        """Write a person's face."""
        if forgetting.forbidden(self._all, [face.qid]):
            return
        row: Document = {
            "version": face.version,
            "mean": face.mean,
            "trusted": face.trusted,
            "image": face.image,
            "changed": time.time(),
        }
        if face.held_against is not None:
            row["held_against"] = face.held_against
        self._all.faces.replace_one({"_id": face.qid}, row, upsert=True)
        forgetting.forbidden(self._all, [face.qid])

    @retried
    def faces_of(self, qids: Collection[str]) -> dict[str, PersonFace]:
        """Return the faces of people."""
        rows = (
            row for batch in batches(set(qids), MANY) for row in self._all.faces.find(among(batch))
        )
        return {row["_id"]: _face(row) for row in rows}

    @retried
    def faces_held_against(self, qid: str) -> set[str]:
        """Return the people whose faces are held against this one."""
        return {row["_id"] for row in self._all.faces.find({"held_against": qid}, {"_id": 1})}

    @retried
    def faces_since(self, mark: float) -> tuple[list[PersonFace], float]:
        """Return the faces that were written since a mark, those of the last minutes once more."""
        rows = list(self._all.faces.find({"changed": {"$gt": mark}}))
        newest = max((row["changed"] for row in rows), default=mark + OVERLAP_S)
        return [_face(row) for row in rows], max(mark, newest - OVERLAP_S)


def _face(row: Document) -> PersonFace:
    return PersonFace(
        row["_id"],
        row["version"],
        bytes(row["mean"]),
        row["trusted"],
        row["image"],
        row.get("held_against"),
    )
