"""What the embedded catalogue does with faces, each function inside a transaction that its caller opened."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

from celebcollect.catalogue.keys import number, numbers
from celebcollect.catalogue.state import PersonFace

_COLUMNS = "person, version, mean, trusted, image, held_against"


def record(connection: sqlite3.Connection, face: PersonFace) -> None:
    """Write a face, unless its person is to be forgotten; who asks for what is new finds it by the number of the change."""
    held_against = None if face.held_against is None else number(face.held_against)
    connection.execute(
        f"INSERT INTO faces ({_COLUMNS}, change)"  # noqa: S608 - no outside text
        " SELECT ?1, ?2, ?3, ?4, ?5, ?6, (SELECT coalesce(max(change), 0) + 1 FROM faces)"
        " WHERE NOT EXISTS (SELECT 1 FROM forgotten WHERE person = ?1)"
        " ON CONFLICT (person) DO UPDATE SET version = excluded.version, mean = excluded.mean, trusted = excluded.trusted,"
        " image = excluded.image, held_against = excluded.held_against, change = excluded.change",
        (number(face.qid), face.version, face.mean, face.trusted, face.image, held_against),
    )


def of(connection: sqlite3.Connection, qids: Collection[str]) -> list[PersonFace]:
    """Return the faces of people."""
    query = f"SELECT {_COLUMNS} FROM json_each(?) CROSS JOIN faces WHERE person = value"  # noqa: S608 - no outside text
    return [_face(*row) for row in connection.execute(query, (json.dumps(numbers(qids)),))]


def held_against(connection: sqlite3.Connection, qid: str) -> set[str]:
    """Return the people whose faces are held against this one."""
    return {
        f"Q{person}"
        for (person,) in connection.execute(
            "SELECT person FROM faces WHERE held_against = ?", (number(qid),)
        )
    }


def since(connection: sqlite3.Connection, change: int) -> tuple[list[PersonFace], int]:
    """Return what was written after a change, and the newest change."""
    rows = connection.execute(
        f"SELECT {_COLUMNS}, change FROM faces WHERE change > ? ORDER BY change",  # noqa: S608
        (change,),
    ).fetchall()
    return [_face(*row[:-1]) for row in rows], rows[-1][-1] if rows else change


def forget(connection: sqlite3.Connection, qid: str) -> None:
    """Remove a person's face, and the name of the person from those that are held against it."""
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
