"""What the six parts of the embedded catalogue share: the file, and how records lie in its rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ValidationError

from celebcollect.catalogue import bands
from celebcollect.catalogue.keys import number, numbers, own_id
from celebcollect.catalogue.sqlite import marks
from celebcollect.disk.sqlite import SqliteFile
from celebcollect.domain.errors import CatalogueError
from celebcollect.domain.records import Image, Record

BATCH = 500
"""Rows per transaction or page where a call brings many: keeps other processes' waiting short and
memory flat."""

ImageRow = tuple[int, str, str, str | None, int | None, int | None, str]
"""Person, id, status, reason, digest, hash, record."""

R = TypeVar("R", bound=Record)


class EmbeddedPart:
    """One part of the catalogue, over the file that all of them share."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def _rows(self, query: str, *arguments: object) -> list[Any]:
        with self._file.connection() as connection:
            return connection.execute(query, arguments).fetchall()

    def _read(self, model: type[R], data: str) -> R:
        try:
            return model.model_validate_json(data)
        except ValidationError as error:
            raise CatalogueError(
                f"the catalogue {self._file.file} holds a damaged record: {data[:80]!r}",
                hint="Restore it from a backup.",
            ) from error


def keys(qids: Iterable[str]) -> str:
    """Return the keys of people as a JSON list for `json_each`; what is no QID is left out."""
    return json.dumps(numbers(qids))


def limit_of(limit: int | None) -> int:
    """Return a limit as SQLite takes it; negative: none."""
    # SQLite's numbers end there, and so many rows are all of them.
    return -1 if limit is None else min(limit, 2**63 - 1)


def image_row(image: Image) -> ImageRow:
    """Return an image as it is kept."""
    return (
        number(image.qid),
        own_id(image),
        str(image.status),
        image.reason,
        None if image.sha256 is None else marks.digest(image.sha256),
        None if image.phash is None else bands.signed(image.phash),
        image.to_text(),
    )
