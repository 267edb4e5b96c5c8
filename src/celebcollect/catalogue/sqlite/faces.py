"""Faces in the embedded catalogue."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from celebcollect.catalogue.keys import number
from celebcollect.catalogue.sqlite.part import EmbeddedPart, keys
from celebcollect.catalogue.state import PersonFace

_RECORD = """
    INSERT INTO faces (person, version, mean, trusted, image, held_against, change)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, (SELECT coalesce(max(change), 0) + 1 FROM faces)
    WHERE NOT EXISTS (SELECT 1 FROM forgotten WHERE person = ?1)
    ON CONFLICT (person) DO UPDATE SET
      version = excluded.version, mean = excluded.mean, trusted = excluded.trusted,
      image = excluded.image, held_against = excluded.held_against, change = excluded.change
"""
"""Who asks for what is new finds it by the number of the change."""

_OF = """
    SELECT person, version, mean, trusted, image, held_against
    FROM json_each(?) CROSS JOIN faces WHERE person = value
"""

_SINCE = """
    SELECT person, version, mean, trusted, image, held_against, change
    FROM faces WHERE change > ? ORDER BY change
"""


class EmbeddedFaces(EmbeddedPart):
    """See `base.FaceRecords`."""

    def record_face(self, face: PersonFace) -> None:
        """Write a person's face, unless the person is to be forgotten."""
        held_against = None if face.held_against is None else number(face.held_against)
        row = (
            number(face.qid),
            face.version,
            face.mean,
            face.trusted,
            face.image,
            held_against,
        )
        with self._file.transaction() as connection:
            connection.execute(_RECORD, row)

    def faces_of(self, qids: Collection[str]) -> dict[str, PersonFace]:
        """Return the faces of people."""
        faces = [_face(*row) for row in self._rows(_OF, keys(qids))]
        return {face.qid: face for face in faces}

    def faces_held_against(self, qid: str) -> set[str]:
        """Return the people whose faces are held against this one."""
        query = "SELECT person FROM faces WHERE held_against = ?"
        return {f"Q{person}" for (person,) in self._rows(query, number(qid))}

    def faces_since(self, mark: float) -> tuple[list[PersonFace], float]:
        """Return the faces that were written since a mark, and the newest change."""
        rows = self._rows(_SINCE, int(mark))
        return [_face(*row[:-1]) for row in rows], rows[-1][-1] if rows else int(mark)


def forget(connection: sqlite3.Connection, qid: str) -> None:
    """Remove a person's face, and the person from the faces that are held against it."""
    person = number(qid)
    connection.execute("DELETE FROM faces WHERE person = ?", (person,))
    connection.execute("UPDATE faces SET held_against = NULL WHERE held_against = ?", (person,))


def _face(
    person: int, version: str, mean: bytes, trusted: int, image: str, held_against: int | None
) -> PersonFace:
    return PersonFace(
        f"Q{person}",
        version,
        mean,
        bool(trusted),
        image,
        None if held_against is None else f"Q{held_against}",
    )
