"""The collections in MongoDB, their fields, and which indexes serve them. Private to this package.

Facts lie under the names of the records, so that a person can read and query them; what only we
need stands beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import mongoengine as me
import pymongo
from pymongo.collection import Collection

Document = dict[str, Any]

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

    meta: ClassVar[Document] = {
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

    meta: ClassVar[Document] = {
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

    meta: ClassVar[Document] = {**_COMMON, "indexes": [("task", "until"), "qid"]}


class _Forgotten(me.Document):  # type: ignore[misc]
    """A person, or an id of a person elsewhere, about whom nothing may be collected."""

    id = me.StringField(primary_key=True)
    removed = me.BooleanField()
    """Removing what there was has begun."""

    meta: ClassVar[Document] = _COMMON


class _Note(me.Document):  # type: ignore[misc]
    """Small state of sources and runs, as JSON."""

    id = me.StringField(primary_key=True)
    value = me.StringField()

    meta: ClassVar[Document] = _COMMON


class _Face(me.Document):  # type: ignore[misc]
    """How a person looks; see `catalogue.state.PersonFace`."""

    qid = me.StringField(primary_key=True)
    version = me.StringField()
    mean = me.BinaryField()
    trusted = me.BooleanField()
    image = me.StringField()
    held_against = me.StringField()
    changed = me.FloatField()
    """Seconds since 1970, by the clock of the machine that wrote it."""

    meta: ClassVar[Document] = {
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


_SHAPES = {
    "celebrities": _Celebrity,
    "images": _Image,
    "claims": _Claim,
    "forgotten": _Forgotten,
    "notes": _Note,
    "faces": _Face,
}


def connect(client: pymongo.MongoClient[Document], database: str, alias: str) -> list[Any]:
    """Return the document classes of one catalogue, tied to a client; asks the server nothing."""
    # The client is made by `client`, so that mongoengine never holds the URI with its password.
    me.connect(
        db=database,
        alias=alias,
        mongo_client_class=lambda **_: client,
        uuidRepresentation="standard",
    )
    # Classes of its own for each catalogue: mongoengine ties a class to one connection.
    return [
        type(shape.__name__, (shape,), {"meta": {"db_alias": alias, "collection": name}})
        for name, shape in _SHAPES.items()
    ]


def collections(
    client: pymongo.MongoClient[Document], database: str, shapes: Sequence[Any]
) -> Collections:
    """
    Return the collections, with their indexes made where they are missing.

    Safe when many processes do it at once.
    """
    for shape in shapes:
        shape.ensure_indexes()
    return Collections(*(client[database][name] for name in _SHAPES))


def disconnect(alias: str) -> None:
    """Close the client that `connect` was given."""
    me.disconnect(alias)
