"""How people, images, claims and notes lie in MongoDB, and which indexes serve them. Private to this package.

Facts lie under the names of the records, so that a person can read and query them; what only we
need stands beside.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import mongoengine as me
import pymongo
from pydantic import ValidationError
from pymongo import ReplaceOne, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from celebcollect.catalogue import bands
from celebcollect.catalogue.keys import all_folded, number, own_id
from celebcollect.domain.batches import batches
from celebcollect.domain.errors import CatalogueError
from celebcollect.domain.records import Celebrity, Image, Record

Document = dict[str, Any]
Write = ReplaceOne[Document] | UpdateOne
R = TypeVar("R", bound=Record)

BATCH = 500
"""Documents per round trip where a call brings many."""

MANY = 10_000
"""Ids per question, which must stay below 16 MB (MongoDB's largest document)."""

DUPLICATE_KEY = 11000

_COMMON = {"strict": False, "auto_create_index": False, "abstract": True}


class _Celebrity(me.Document):  # type: ignore[misc]
    """A person: Wikidata's facts, and the state of the work on them."""

    qid = me.StringField(primary_key=True)
    name = me.StringField()
    sitelinks = me.LongField()
    origin = me.StringField()
    number = me.LongField()
    """The QID without its Q, for sorting."""
    folded = me.ListField(me.StringField())
    """Name and aliases as they are compared."""
    rounds = me.IntField()
    finished = me.BooleanField()
    searches = me.DictField()
    """By source: rounds, offered, exhausted, at."""
    revision = me.LongField()
    """Grows with every batch of stored images."""
    dirty = me.BooleanField()
    """Has a revision that was not cleaned yet."""
    cleaned = me.LongField()
    cleaned_with = me.StringField()

    meta = {  # noqa: RUF012
        **_COMMON,
        "indexes": [
            ("-sitelinks", "number"),
            "folded",
            ("dirty", "number"),
            ("cleaned_with", "number"),
        ],
    }


class _Image(me.Document):  # type: ignore[misc]
    """A candidate, from `verified` to its end."""

    id = me.StringField(primary_key=True)
    qid = me.StringField()
    number = me.LongField()
    status = me.StringField()
    reason = me.StringField()
    sha256 = me.StringField()
    phash = me.StringField()
    bands = me.ListField(me.IntField())
    """See `catalogue.bands`."""
    duplicate_of = me.StringField()
    facts = me.StringField()
    """JSON."""

    meta = {  # noqa: RUF012
        **_COMMON,
        "indexes": [
            ("number", "_id"),
            ("status", "number", "_id"),
            ("status", "reason"),
            {"fields": ["sha256"], "sparse": True},
            {"fields": ["phash"], "sparse": True},
            {"fields": ["bands"], "sparse": True},
            {"fields": ["duplicate_of"], "sparse": True},
        ],
    }


class _Claim(me.Document):  # type: ignore[misc]
    """Who works on whom until when; the id is `task/QID`."""

    id = me.StringField(primary_key=True)
    task = me.StringField()
    qid = me.StringField()
    owner = me.StringField()
    until = me.FloatField()
    """Seconds since 1970, by the clock of the claiming machine: clocks must agree to a fraction of
    a lease."""

    meta = {**_COMMON, "indexes": [("task", "until"), "qid"]}  # noqa: RUF012


class _Forgotten(me.Document):  # type: ignore[misc]
    """A person, or an id of a person elsewhere, about whom nothing may be collected."""

    id = me.StringField(primary_key=True)
    removed = me.BooleanField()
    """Removing what there was has begun."""

    meta = _COMMON


class _Note(me.Document):  # type: ignore[misc]
    """Small state of sources and runs, as JSON."""

    id = me.StringField(primary_key=True)
    value = me.StringField()

    meta = _COMMON


class _Face(me.Document):  # type: ignore[misc]
    """How a person looks; see `catalogue.faces.PersonFace`."""

    qid = me.StringField(primary_key=True)
    version = me.StringField()
    mean = me.BinaryField()
    trusted = me.BooleanField()
    image = me.StringField()
    held_against = me.StringField()
    changed = me.FloatField()
    """Seconds since 1970, by the clock of the machine that wrote it."""

    meta = {  # noqa: RUF012
        **_COMMON,
        "indexes": ["changed", {"fields": ["held_against"], "sparse": True}],
    }


@dataclass(frozen=True)
class Collections:
    """The collections of one catalogue."""

    celebrities: Collection[Document]
    images: Collection[Document]
    claims: Collection[Document]
    forgotten: Collection[Document]
    notes: Collection[Document]
    faces: Collection[Document]


def connect(client: pymongo.MongoClient[Document], database: str, alias: str) -> list[Any]:
    """Return the document classes of one catalogue, tied to a client; asks the server nothing."""
    # The client is made by `link`, so that mongoengine never holds the URI with its password.
    me.connect(
        db=database,
        alias=alias,
        mongo_client_class=lambda **_: client,
        uuidRepresentation="standard",
    )
    # Classes of its own for each catalogue: mongoengine ties a class to one connection.
    shapes = {
        "celebrities": _Celebrity,
        "images": _Image,
        "claims": _Claim,
        "forgotten": _Forgotten,
        "notes": _Note,
        "faces": _Face,
    }
    return [
        type(shape.__name__, (shape,), {"meta": {"db_alias": alias, "collection": name}})
        for name, shape in shapes.items()
    ]


def collections(shapes: Sequence[Any]) -> Collections:
    """Return the collections, with their indexes made where they are missing; safe when many processes do it at once."""
    for shape in shapes:
        shape.ensure_indexes()
    return Collections(*(shape._get_collection() for shape in shapes))


def disconnect(alias: str) -> None:
    """Close the client that `connect` was given."""
    me.disconnect(alias)


def among(ids: Iterable[str]) -> Document:
    """Return the filter of documents with one of these ids."""
    return {"_id": {"$in": list(ids)}}


def insert(collection: Collection[Document], rows: Sequence[Document]) -> set[str]:
    """Insert documents; return the ids of those that were there already, or twice among these."""
    if not rows:
        return set()
    try:
        collection.insert_many(rows, ordered=False)
    except BulkWriteError as error:
        return {rows[index]["_id"] for index in _duplicates(error)}
    return set()


def write(collection: Collection[Document], writes: Sequence[Write], *, per_command: int) -> int:
    """Replace or update documents, in any order; return how many were there and met their filter."""
    matched = 0
    for batch in batches(writes, per_command):
        while batch:
            try:
                matched += collection.bulk_write(batch, ordered=False).matched_count
                batch = []
            except BulkWriteError as error:
                # An upsert that met another worker's insert of the same id: the next time it finds
                # the document.
                batch = [batch[index] for index in _duplicates(error)]
                matched += error.details["nMatched"]
    return matched


def _duplicates(error: BulkWriteError) -> list[int]:
    """Return which writes met an id that was there already; raise the error again when it holds anything else."""
    problems = error.details["writeErrors"]
    if (
        not problems
        or error.details["writeConcernErrors"]
        or any(problem["code"] != DUPLICATE_KEY for problem in problems)
    ):
        raise error
    return [problem["index"] for problem in problems]


def celebrity_facts(person: Celebrity) -> Document:
    """Return what a refresh of the facts sets, None included, so that a fact that is gone is gone."""
    facts = person.model_dump(mode="json", exclude={"qid"})
    return {**_storable(facts), "number": number(person.qid), "folded": sorted(all_folded(person))}


def new_work() -> Document:
    """Return the state of the work on a new person."""
    return {
        "rounds": 0,
        "finished": False,
        "searches": {},
        "revision": 0,
        "dirty": False,
        "cleaned": 0,
    }


def read_celebrity(document: Document) -> Celebrity:
    """Read a person."""
    return _read(Celebrity, {**document, "qid": document["_id"]})


def image_document(image: Image) -> Document:
    """Return an image as it is kept."""
    document = _storable(image.model_dump(mode="json", exclude_none=True, exclude={"id", "facts"}))
    document.update(_id=own_id(image), number=number(image.qid))
    if image.phash is not None:
        document["bands"] = bands.keys(bands.number(image.phash))
    if image.facts:
        # As text, because names of facts are free, and MongoDB gives some characters in names a
        # meaning.
        document["facts"] = json.dumps(
            image.model_dump(mode="json", include={"facts"})["facts"], ensure_ascii=False
        )
    return document


def read_image(document: Document) -> Image:
    """Read an image."""
    return _read(
        Image, {**document, "id": document["_id"], "facts": json.loads(document.get("facts", "{}"))}
    )


def _read(model: type[R], document: Document) -> R:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise CatalogueError(
            f"the catalogue in MongoDB holds a damaged record: {document['_id']!r}",
            hint="Restore it from a backup.",
        ) from error


def _storable(values: Document) -> Document:
    # A message may hold any whole number, BSON only 64 bits; pydantic reads the text back as a
    # number.
    return {
        key: str(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value
        for key, value in values.items()
    }
