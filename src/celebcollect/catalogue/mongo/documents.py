"""How people and images become documents of MongoDB, and documents records again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ValidationError

from celebcollect.catalogue import bands
from celebcollect.catalogue.keys import all_folded, number, own_id
from celebcollect.domain.errors import CatalogueError
from celebcollect.domain.records import Celebrity, Image, Record

Document = dict[str, Any]
R = TypeVar("R", bound=Record)

NEW_REVISION: Document = {"$inc": {"revision": 1}, "$set": {"dirty": True}}
"""Update that puts a person in need of cleaning."""

MANY = 10_000
"""Ids per question, which must stay below 16 MB (MongoDB's largest document)."""


def among(ids: Iterable[str]) -> Document:
    """Return the filter of documents with one of these ids."""
    return {"_id": {"$in": list(ids)}}


def celebrity_facts(person: Celebrity) -> Document:
    """Return what a refresh of the facts sets; None too, so that a fact that is gone is gone."""
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
