"""What the embedded catalogue does to forget people and to keep them out, each function inside a transaction that its caller opened."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence

from celebcollect.catalogue.forgetting import is_note_about, without
from celebcollect.catalogue.keys import number, numbers
from celebcollect.catalogue.sqlite import faces as embedded_faces
from celebcollect.domain.records import Celebrity, Image


def forbid(
    connection: sqlite3.Connection, qids: Iterable[str], external_ids: Iterable[str]
) -> None:
    """Remember people, and their ids elsewhere."""
    connection.executemany(
        "INSERT INTO forgotten VALUES (?) ON CONFLICT DO NOTHING", [(number(qid),) for qid in qids]
    )
    connection.executemany(
        "INSERT INTO forgotten_ids VALUES (?) ON CONFLICT DO NOTHING",
        [(text,) for text in external_ids],
    )


def forbidden(connection: sqlite3.Connection, qids: Iterable[str]) -> set[int]:
    """Return the numbers of those people who are remembered."""
    query = "SELECT person FROM json_each(?) CROSS JOIN forgotten WHERE person = value"
    return {person for (person,) in connection.execute(query, (json.dumps(numbers(qids)),))}


def admit(connection: sqlite3.Connection, people: Sequence[Celebrity]) -> list[Celebrity]:
    """Return the people who may be saved; who has an id of a forbidden person is that person, and forbidden too."""
    ids = json.dumps(sorted({text for person in people for text in person.external_ids}))
    refused = {
        text
        for (text,) in connection.execute(
            "SELECT f.id FROM json_each(?) CROSS JOIN forgotten_ids f WHERE f.id = value", (ids,)
        )
    }
    if refused:
        forbid(
            connection, [person.qid for person in people if refused & set(person.external_ids)], ()
        )
    gone = forbidden(connection, (person.qid for person in people))
    return [person for person in people if number(person.qid) not in gone]


def allowed(connection: sqlite3.Connection, images: Collection[Image]) -> list[Image]:
    """Return the images whose people may be collected."""
    gone = {f"Q{person}" for person in forbidden(connection, {image.qid for image in images})}
    return [image for image in images if image.qid not in gone]


def forget(connection: sqlite3.Connection, qid: str) -> int:
    """Remove every row about a person, and what other rows and notes say of them; return how many images. Walks along all images."""
    person = number(qid)
    removed = connection.execute("DELETE FROM images WHERE person = ?", (person,)).rowcount
    for table in ("celebrities", "names", "work", "searches", "claims"):
        connection.execute(f"DELETE FROM {table} WHERE person = ?", (person,))  # noqa: S608 - no outside text
    embedded_faces.forget(connection, qid)
    _clear_others(connection, qid)
    for key, text in connection.execute("SELECT key, value FROM notes").fetchall():
        if is_note_about(key, qid):
            connection.execute("DELETE FROM notes WHERE key = ?", (key,))
        elif qid in text:
            left = json.dumps(without(json.loads(text), {qid}), ensure_ascii=False)
            connection.execute("UPDATE notes SET value = ? WHERE key = ?", (left, key))
    return removed


def _clear_others(connection: sqlite3.Connection, qid: str) -> None:
    """Take the reference out of other people's pictures that were held against this person's, and have them looked at again."""
    query = "SELECT person, id, data FROM images WHERE substr(json_extract(data, '$.duplicate_of'), 1, ?) = ?"
    mark = f"{qid}:"
    rows = connection.execute(query, (len(mark), mark)).fetchall()
    for person, id_, data in rows:
        cleared = Image.model_validate_json(data).model_copy(
            update={"duplicate_of": None, "detail": None}
        )
        connection.execute(
            "UPDATE images SET data = ? WHERE person = ? AND id = ?",
            (cleared.to_json().decode(), person, id_),
        )
    people = json.dumps(sorted({person for person, _, _ in rows}))
    connection.execute(
        "UPDATE work SET revision = revision + 1 WHERE person IN (SELECT value FROM json_each(?))",
        (people,),
    )
