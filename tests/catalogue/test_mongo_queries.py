"""Every query that the catalogue sends to MongoDB, and the index that serves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo import monitoring

from catalogue.catalogue_backends import Backend, new_backend
from catalogue.catalogue_samples import workout
from celebcollect.catalogue.base import Catalogue
from services.mongo_service import STAND_IN_INDEX

pytestmark = pytest.mark.mongo

QUERIES = {
    # by id: the index that every collection has
    "celebrities find _id:$in": "_id_",
    "celebrities update _id": "_id_",
    "celebrities update _id:$in": "_id_",
    "celebrities update _id cleaned:$lte": "_id_",
    "celebrities update _id revision": "_id_",
    "celebrities find $or(dirty|cleaned_with:$lt|cleaned_with:$gt) _id:$in sort number": "_id_",
    "celebrities aggregate _id:$gt": "_id_",
    "images find _id:$in": "_id_",
    "images update _id": "_id_",
    "images update _id status": "_id_",
    "claims find _id:$in until:$gt": "_id_",
    "claims findAndModify $or(until:$lte|owner:$in) _id": "_id_",
    "claims delete _id:$in owner": "_id_",
    "celebrities delete _id:$in": "_id_",
    "forgotten delete _id:$in": "_id_",
    "forgotten find _id:$gt,$lt": "_id_",
    "forgotten find _id:$in": "_id_",
    "forgotten update _id": "_id_",
    "notes find _id": "_id_",
    "notes update _id value": "_id_",
    "notes delete _id value": "_id_",
    "faces find _id:$in": "_id_",
    "faces update _id": "_id_",
    "faces delete _id:$in": "_id_",
    "notes update _id": "_id_",
    "notes delete _id": "_id_",
    # along an index, in its order
    "celebrities find sort sitelinks,number": "sitelinks_-1_number_1",
    "celebrities find searches.tmdb.exhausted:$ne sort sitelinks,number": "sitelinks_-1_number_1",
    "images find _id:$gt number sort number,_id": "number_1__id_1",
    "images find number:$gt sort number,_id": "number_1__id_1",
    "images find _id:$gt number status sort number,_id": "status_1_number_1__id_1",
    "images find number:$gt status sort number,_id": "status_1_number_1__id_1",
    # by a value
    "celebrities find folded": "folded_1",
    "celebrities find $or(dirty|cleaned_with:$lt|cleaned_with:$gt) sort number": (
        "dirty_1_number_1 and cleaned_with_1_number_1"
    ),
    "images find sha256:$in": "sha256_1",
    "images find bands:$in": "bands_1",
    "images find phash:$in": "phash_1",
    "images find duplicate_of:$gt,$lt": "duplicate_of_1",
    "images update duplicate_of:$gt,$lt": "duplicate_of_1",
    "images delete number:$in": "number_1__id_1",
    "claims find task until:$gt": "task_1_until_1",
    "faces find changed:$gt": "changed_1",
    "faces find held_against": "held_against_1",
    "faces update held_against": "held_against_1",
    "claims delete qid:$in": "qid_1",
    # a few dozen documents, read whole
    "notes find": "_id_",
    # counted from the index alone
    "images aggregate number:$in status:$in": "status_1_number_1__id_1",
    "images aggregate status:$in": "status_1_reason_1",
}
"""By the shape of the query: equality is the bare field, else its operator."""


class Queries(monitoring.CommandListener):
    """Collects the shape of every command that looks something up."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        command: dict[str, Any] = dict(event.command)
        sort = f" sort {','.join(command['sort'])}" if command.get("sort") else ""
        filters = {
            "find": lambda: [command["filter"]],
            "aggregate": lambda: [command["pipeline"][0]["$match"]],
            "findAndModify": lambda: [command["query"]],
            "update": lambda: [update["q"] for update in command["updates"]],
            "delete": lambda: [delete["q"] for delete in command["deletes"]],
        }.get(event.command_name, list)()
        for wanted in filters:
            self.seen.add(
                " ".join(
                    filter(None, [command[event.command_name], event.command_name, shape(wanted)])
                )
                + sort
            )

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


def shape(wanted: dict[str, Any]) -> str:
    """Return fields and operators of a filter without its values."""
    parts = []
    for field, value in sorted(wanted.items()):
        if field == "$or":
            parts.append(f"$or({'|'.join(map(shape, value))})")
        elif isinstance(value, dict):
            parts.append(field + ":" + ",".join(value))
        else:
            parts.append(field)
    return " ".join(parts)


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    with new_backend("java", tmp_path) as backend:
        yield backend


def test_every_query_has_its_index(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What all methods send is what is listed here.

    Every index that is named exists and begins with a field of the query.
    """
    queries = Queries()
    client = pymongo.MongoClient
    monkeypatch.setattr(
        pymongo,
        "MongoClient",
        lambda *args, **settings: client(*args, event_listeners=[queries], **settings),
    )
    catalogue = backend.open()
    called = workout(catalogue)
    catalogue.set_note("mine", {"Q2": 1})
    catalogue.forget("Q2")
    catalogue.close()

    server: pymongo.MongoClient[dict[str, Any]]
    with client(backend.where) as server:
        names = server[backend.database].list_collection_names()
        indexes = {
            (name, index): keys["key"][0][0]
            for name in names
            for index, keys in server[backend.database][name].index_information().items()
        }

    assert called | {"forget"} == {
        name
        for part in Catalogue.__mro__
        if part.__module__.startswith("celebcollect.")
        for name in vars(part)
        if not name.startswith("_") and name != "close"
    }
    assert queries.seen == set(QUERIES)
    for query, served_by in QUERIES.items():
        for index in served_by.split(" and "):
            fields = re.findall(r"[\w.]+", query)
            assert query == "notes find" or indexes[fields[0], index] in fields
    assert {index for _, index in indexes} - {STAND_IN_INDEX} == {
        index for served_by in QUERIES.values() for index in served_by.split(" and ")
    }
