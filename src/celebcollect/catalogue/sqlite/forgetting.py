"""Forget people in the embedded catalogue, and keep them out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence

from celebcollect.catalogue.forgetting import (
    is_note_about,
    note_of,
    noted_with,
    refused_ids,
    without,
)
from celebcollect.catalogue.keys import number
from celebcollect.catalogue.sqlite import faces
from celebcollect.catalogue.sqlite.part import EmbeddedPart, keys
from celebcollect.domain.records import Celebrity, Image


class EmbeddedForgetting(EmbeddedPart):
    """See `base.Forgetting`."""

    def forbid(self, qids: Collection[str], external_ids: Collection[str] = ()) -> None:
        """Remember that nothing may be collected about these people."""
        with self._file.transaction() as connection:
            _forbid(connection, qids, external_ids)

    def forgotten(self, qids: Collection[str]) -> set[str]:
        """Return those people about whom nothing may be collected."""
        with self._file.connection() as connection:
            return _forbidden(connection, qids)

    def all_forgotten(self) -> list[str]:
        """Return everybody about whom nothing may be collected."""
        rows = self._rows("SELECT person FROM forgotten ORDER BY person")
        return [f"Q{person}" for (person,) in rows]

    def forgotten_ids(self) -> list[str]:
        """Return all ids elsewhere under which nothing may be collected."""
        return [text for (text,) in self._rows("SELECT id FROM forgotten_ids ORDER BY id")]

    def allow(self, qids: Collection[str], external_ids: Collection[str] = ()) -> None:
        """Take back what `forbid` said."""
        with self._file.transaction() as connection:
            connection.executemany(
                "DELETE FROM forgotten WHERE person = ?", [(number(qid),) for qid in qids]
            )
            connection.executemany(
                "DELETE FROM forgotten_ids WHERE id = ?", [(text,) for text in external_ids]
            )

    def forget(self, qid: str) -> int:
        """
        Remove all that is known of a person.

        The whole file is written anew, so that nothing is left in its free space.
        """
        with self._file.transaction() as connection:
            _forbid(connection, [qid], ())
            removed = _forget(connection, qid)
        self._file.wipe()
        return removed


def admit(connection: sqlite3.Connection, people: Sequence[Celebrity]) -> list[Celebrity]:
    """
    Return the people who may be saved.

    Who has an id of a forbidden person is that person, and forbidden too.
    """
    ids = json.dumps(sorted({text for person in people for text in person.external_ids}))
    query = "SELECT f.id FROM json_each(?) CROSS JOIN forgotten_ids f WHERE f.id = value"
    refused = {text for (text,) in connection.execute(query, (ids,))}
    for qid, theirs in refused_ids(people, refused):
        _note(connection, qid, theirs)
        _forbid(connection, [qid], ())
    gone = _forbidden(connection, (person.qid for person in people))
    return [person for person in people if person.qid not in gone]


def allowed(connection: sqlite3.Connection, images: Collection[Image]) -> list[Image]:
    """Return the images whose people may be collected."""
    gone = _forbidden(connection, {image.qid for image in images})
    return [image for image in images if image.qid not in gone]


def _forbid(
    connection: sqlite3.Connection, qids: Iterable[str], external_ids: Iterable[str]
) -> None:
    connection.executemany(
        "INSERT INTO forgotten VALUES (?) ON CONFLICT DO NOTHING", [(number(qid),) for qid in qids]
    )
    connection.executemany(
        "INSERT INTO forgotten_ids VALUES (?) ON CONFLICT DO NOTHING",
        [(text,) for text in external_ids],
    )


def _note(connection: sqlite3.Connection, qid: str, ids: Collection[str]) -> None:
    """Note by which ids somebody is known to be forgotten: `unforget` allows these too."""
    key = note_of(qid)
    row = connection.execute("SELECT value FROM notes WHERE key = ?", (key,)).fetchone()
    former = json.loads(row[0]) if row else None
    noted = noted_with(former, [qid], ids)
    if noted != former:
        query = "INSERT INTO notes VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
        connection.execute(query, (key, json.dumps(noted)))


def _forbidden(connection: sqlite3.Connection, qids: Iterable[str]) -> set[str]:
    query = "SELECT person FROM json_each(?) CROSS JOIN forgotten WHERE person = value"
    return {f"Q{person}" for (person,) in connection.execute(query, (keys(qids),))}


def _forget(connection: sqlite3.Connection, qid: str) -> int:
    """Remove a person's rows and what others say of them; walks along all images."""
    person = number(qid)
    removed = connection.execute("DELETE FROM images WHERE person = ?", (person,)).rowcount
    for table in ("celebrities", "names", "work", "searches", "claims"):
        query = f"DELETE FROM {table} WHERE person = ?"  # noqa: S608 - names of ours
        connection.execute(query, (person,))
    faces.forget(connection, qid)
    _clear_others(connection, qid)
    for key, text in connection.execute("SELECT key, value FROM notes").fetchall():
        if is_note_about(key, qid):
            connection.execute("DELETE FROM notes WHERE key = ?", (key,))
        elif qid in text:
            left = json.dumps(without(json.loads(text), {qid}))
            connection.execute("UPDATE notes SET value = ? WHERE key = ?", (left, key))
    return removed


def _clear_others(connection: sqlite3.Connection, qid: str) -> None:
    """
    Take the reference out of other people's pictures that were held against this person's.

    They are looked at again.
    """
    find = """
        SELECT person, id, data FROM images
        WHERE substr(json_extract(data, '$.duplicate_of'), 1, ?) = ?
    """
    mark = f"{qid}:"
    rows = connection.execute(find, (len(mark), mark)).fetchall()
    for person, id_, data in rows:
        image = Image.model_validate_json(data)
        cleared = image.model_copy(update={"duplicate_of": None, "detail": None})
        connection.execute(
            "UPDATE images SET data = ? WHERE person = ? AND id = ?",
            (cleared.to_json().decode(), person, id_),
        )
    again = """
        UPDATE work SET revision = revision + 1
        WHERE person IN (SELECT value FROM json_each(?))
    """
    connection.execute(again, (json.dumps(sorted({person for person, _, _ in rows})),))
