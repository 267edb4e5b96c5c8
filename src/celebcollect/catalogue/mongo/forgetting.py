"""Forget people in MongoDB, and keep them out.

Without transactions a worker may write a row at the very moment when its person is forgotten. So
whoever writes asks before and after: rows of people whose removal has begun are taken away again,
also when a message is repeated.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence

from celebcollect.catalogue.forgetting import (
    is_note_about,
    note_of,
    noted_with,
    refused_ids,
    without,
)
from celebcollect.catalogue.keys import number, numbers
from celebcollect.catalogue.mongo.commands import insert
from celebcollect.catalogue.mongo.documents import MANY, NEW_REVISION, among
from celebcollect.catalogue.mongo.part import MongoPart, retried
from celebcollect.catalogue.mongo.schema import Collections
from celebcollect.domain.batches import batches
from celebcollect.domain.records import Celebrity, Image


class MongoForgetting(MongoPart):
    """See `base.Forgetting`."""

    @retried
    def forbid(self, qids: Collection[str], external_ids: Collection[str] = ()) -> None:
        """Remember people about whom nothing may be collected."""
        _forbid(self._all, qids, external_ids)

    @retried
    def forgotten(self, qids: Collection[str]) -> set[str]:
        """Return those people whom `forbid` named."""
        return forbidden(self._all, qids)

    @retried
    def all_forgotten(self) -> list[str]:
        """Return everybody whom `forbid` named."""
        # Ids elsewhere are small letters and a slash.
        found = self._all.forgotten.find({"_id": {"$gt": "Q", "$lt": "R"}}, {"_id": 1})
        return sorted((row["_id"] for row in found), key=number)

    @retried
    def forgotten_ids(self) -> list[str]:
        """Return all ids elsewhere under which nothing may be collected."""
        found = self._all.forgotten.find({"_id": {"$gt": "a", "$lt": "{"}}, {"_id": 1})
        return sorted(row["_id"] for row in found)

    @retried
    def allow(self, qids: Collection[str], external_ids: Collection[str] = ()) -> None:
        """Take back what `forbid` said."""
        ids = {*(f"Q{number(qid)}" for qid in qids), *external_ids}
        self._all.forgotten.delete_many(among(ids))

    @retried
    def forget(self, qid: str) -> int:
        """
        Forbid a person, then remove every document about them; return how many images.

        The server overwrites the bytes in its files, its journal and its oplog in its own time.
        """
        return _forget(self._all, qid)


def _forbid(
    collections: Collections, qids: Iterable[str], external_ids: Iterable[str] = ()
) -> None:
    """Remember people, and their ids elsewhere."""
    ids = {*(f"Q{number(qid)}" for qid in qids), *external_ids}
    insert(collections.forgotten, [{"_id": text, "removed": False} for text in sorted(ids)])


def forbidden(collections: Collections, qids: Iterable[str]) -> set[str]:
    """
    Return those people who are remembered.

    If their removal has begun, it is finished for rows that came in between.
    """
    found = [
        row
        for batch in batches(set(qids), MANY)
        for row in collections.forgotten.find(among(batch))
    ]
    removed = [row["_id"] for row in found if row["removed"]]
    if removed:
        _remove_rows(collections, removed)
    return {row["_id"] for row in found}


def admit(collections: Collections, people: Sequence[Celebrity]) -> list[Celebrity]:
    """
    Return the people who may be saved.

    Who has an id of a forbidden person is that person, and forbidden too.
    """
    ids = {text for person in people for text in person.external_ids}
    refused = {row["_id"] for row in collections.forgotten.find(among(ids))} if ids else set()
    for qid, theirs in refused_ids(people, refused):
        _note(collections, qid, theirs)
        _forbid(collections, [qid])
    gone = forbidden(collections, (person.qid for person in people))
    return [person for person in people if person.qid not in gone]


def _note(collections: Collections, qid: str, ids: Collection[str]) -> None:
    """Note by which ids somebody is known to be forgotten: `unforget` allows these too."""
    found = collections.notes.find_one({"_id": note_of(qid)})
    former = json.loads(found["value"]) if found else None
    noted = noted_with(former, [qid], ids)
    if noted != former:
        value = {"value": json.dumps(noted)}
        collections.notes.replace_one({"_id": note_of(qid)}, value, upsert=True)


def allowed(collections: Collections, images: Collection[Image]) -> list[Image]:
    """Return the images whose people may be collected."""
    gone = forbidden(collections, {image.qid for image in images})
    return [image for image in images if image.qid not in gone]


def _remove_rows(collections: Collections, qids: Collection[str]) -> int:
    """Remove every document about people; return how many images."""
    removed = collections.images.delete_many({"number": {"$in": numbers(qids)}}).deleted_count
    collections.celebrities.delete_many(among(qids))
    collections.claims.delete_many({"qid": {"$in": list(qids)}})
    collections.faces.delete_many(among(qids))
    return removed


def _forget(collections: Collections, qid: str) -> int:
    """Remove a person's documents, and what others and notes say of them."""
    _forbid(collections, [qid])
    collections.forgotten.update_one({"_id": qid}, {"$set": {"removed": True}})
    _clear_others(collections, qid)
    collections.faces.update_many({"held_against": qid}, {"$unset": {"held_against": ""}})
    removed = _remove_rows(collections, [qid])
    for note in list(collections.notes.find({})):
        if is_note_about(note["_id"], qid):
            collections.notes.delete_one({"_id": note["_id"]})
        elif qid in note["value"]:
            left = json.dumps(without(json.loads(note["value"]), {qid}))
            collections.notes.update_one({"_id": note["_id"]}, {"$set": {"value": left}})
    return removed


def _clear_others(collections: Collections, qid: str) -> None:
    """
    Take the reference out of other people's pictures that were held against this person's.

    They are looked at again.
    """
    # Ids begin with the QID and a colon; the semicolon is the next character after it.
    held = {"duplicate_of": {"$gt": f"{qid}:", "$lt": f"{qid};"}}
    people = {row["qid"] for row in collections.images.find(held, {"qid": 1})} - {qid}
    # First, because the rows cannot be found again once they are cleared: a crash in between cleans
    # once more for nothing.
    collections.celebrities.update_many(among(people), NEW_REVISION)
    collections.images.update_many(held, {"$unset": {"duplicate_of": "", "detail": ""}})
    collections.celebrities.update_many(among(people), NEW_REVISION)
