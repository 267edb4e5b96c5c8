"""Write many documents in few commands; what others write at the same time is met in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import ReplaceOne, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from celebcollect.domain.batches import batches

Document = dict[str, Any]
Write = ReplaceOne[Document] | UpdateOne

BATCH = 500
"""Documents per round trip where a call brings many."""

DUPLICATE_KEY = 11000


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
    """Replace or update documents, in any order; return how many met their filters."""
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
    """
    Return which writes met an id that was there already.

    The error is raised again when it holds anything else.
    """
    problems = error.details["writeErrors"]
    if (
        not problems
        or error.details["writeConcernErrors"]
        or any(problem["code"] != DUPLICATE_KEY for problem in problems)
    ):
        raise error
    return [problem["index"] for problem in problems]
