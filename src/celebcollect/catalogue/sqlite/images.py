"""Images in the embedded catalogue."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence

from celebcollect.catalogue.keys import number, numbers
from celebcollect.catalogue.sqlite import forgetting, marks
from celebcollect.catalogue.sqlite.part import BATCH, EmbeddedPart, image_row
from celebcollect.catalogue.sqlite.people import add_missing
from celebcollect.catalogue.sqlite.work import add_revision
from celebcollect.catalogue.state import Counts
from celebcollect.domain.batches import batches
from celebcollect.domain.records import Image, Status

_BY_ID = """
    json_each(?) CROSS JOIN images
    WHERE person = CAST(substr(value, 2) AS INTEGER) AND images.id = value
"""
"""An image's id begins with its person (`Q42:...`), whose number leads the index; SQLite's CAST
reads the digits that a text begins with."""

_IDS = f"SELECT images.id FROM {_BY_ID}"  # noqa: S608 - no outside text
_RECORDS = f"SELECT data FROM {_BY_ID}"  # noqa: S608 - no outside text
_SETTLED = f"{_IDS} AND status IN ('stored', 'accepted', 'rejected')"

_ADD = """
    INSERT INTO images (person, id, status, reason, sha256, phash, data)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
      value ->> 6
    FROM json_each(?) WHERE true
    ON CONFLICT (person, id) DO NOTHING
"""
"""One statement instead of one for each row: SQLite then works beside Python, not in turns with
it."""

_REPLACE = """
    INSERT INTO images (person, id, status, reason, sha256, phash, data)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (person, id) DO UPDATE SET
      status = excluded.status, reason = excluded.reason, sha256 = excluded.sha256,
      phash = excluded.phash, data = excluded.data
"""

_DECIDE = """
    UPDATE images SET status = ?3, reason = ?4, sha256 = ?5, phash = ?6, data = ?7
    WHERE person = ?1 AND id = ?2
"""

_PAGE = """
    SELECT id, data FROM images
    WHERE person = ?1 AND id > ?2 AND (?3 IS NULL OR status = ?3)
    ORDER BY id LIMIT ?4
"""


class EmbeddedImages(EmbeddedPart):
    """See `base.Images`."""

    def known(self, ids: Collection[str]) -> set[str]:
        """Return those image ids that exist."""
        return {found for (found,) in self._rows(_IDS, json.dumps(list(ids)))}

    def add_verified(self, images: Sequence[Image]) -> int:
        """Insert rows and people that are missing."""
        new = 0
        for batch in batches(images, BATCH):
            with self._file.transaction() as connection:
                allowed = forgetting.allowed(connection, batch)
                add_missing(connection, allowed)
                rows = json.dumps([image_row(image) for image in allowed])
                new += connection.execute(_ADD, (rows,)).rowcount
        return new

    def images_by_id(self, ids: Collection[str]) -> dict[str, Image]:
        """Return the rows that exist, by id."""
        rows = self._rows(_RECORDS, json.dumps(list(ids)))
        found = [self._read(Image, data) for (data,) in rows]
        return {image.id: image for image in found}

    def record_stored(self, images: Sequence[Image]) -> None:
        """Write what `store` found, and put the people with new pictures in need of cleaning."""
        for batch in batches(images, BATCH):
            with self._file.transaction() as connection:
                fresh = _unsettled(connection, batch)
                add_missing(connection, fresh)
                connection.executemany(_REPLACE, map(image_row, fresh))
                changed = {image.qid for image in fresh if image.status is Status.STORED}
                add_revision(connection, changed)
                marks.settle(connection, len(fresh))

    def with_bytes(self, shas: Collection[str]) -> list[Image]:
        """Return all rows with one of these SHA-256 digests, by QID number and id."""
        # which row it is, and then the row: each look sees one state, and needs no more
        with self._file.connection() as connection:
            found = marks.of_bytes(connection, shas)
        wanted = set(shas)
        images = [self._read(Image, data) for data in found]
        return [image for image in images if image.sha256 in wanted]

    def similar(self, phashes: Collection[str], *, version: int, bits: int) -> list[Image]:
        """Return all rows whose hash is like one of these, by QID number and id."""
        with self._file.transaction(write=False) as connection:
            found = marks.of_hashes(connection, phashes, bits)
        images = [self._read(Image, data) for data in found]
        return [image for image in images if image.phash_version == version]

    def person_images(self, qid: str) -> list[Image]:
        """Return all rows of a person, by id."""
        return list(self.images(qid=qid))

    def record_verdicts(self, images: Sequence[Image]) -> None:
        """Write what `clean` decided."""
        for batch in batches(images, BATCH):
            with self._file.transaction() as connection:
                connection.executemany(_DECIDE, map(image_row, batch))

    def images(
        self, *, qid: str | None = None, status: Status | None = None, after: str | None = None
    ) -> Iterator[Image]:
        """
        Yield rows by QID number and id, a page at a time.

        Nothing stays locked in between; what is written meanwhile may be seen or not.
        """
        begin = 0 if after is None else number(after)
        for person in numbers([qid]) if qid is not None else self._people_with(status, begin):
            last = ""
            while True:
                page = self._rows(_PAGE, person, last, status, BATCH)
                for _, data in page:
                    yield self._read(Image, data)
                if len(page) < BATCH:
                    break
                last = page[-1][0]

    def counts(self) -> Counts:
        """Return the totals; triggers keep the counters, only people are counted."""
        with self._file.transaction(write=False) as connection:
            celebrities = connection.execute("SELECT count(*) FROM celebrities").fetchone()[0]
            query = "SELECT status, reason, n FROM totals WHERE n > 0"
            totals = connection.execute(query).fetchall()
        return Counts.of(celebrities, ((Status(status), why, n) for status, why, n in totals))

    def _people_with(self, status: Status | None, after: int) -> Iterator[int]:
        counter = (
            "verified + stored + accepted + rejected + failed"
            if status is None
            else Status(status).value
        )
        query = f"""
            SELECT person FROM work
            WHERE person > ? AND {counter} > 0
            ORDER BY person LIMIT ?
        """  # noqa: S608 - the name of a column
        while page := self._rows(query, after, BATCH):
            yield from (person for (person,) in page)
            after = page[-1][0]


def _unsettled(connection: sqlite3.Connection, images: Sequence[Image]) -> list[Image]:
    """Return the images that may be written; of one that comes twice the first stored one."""
    ids = json.dumps([image.id for image in images])
    settled = {found for (found,) in connection.execute(_SETTLED, (ids,))}
    fresh: dict[str, Image] = {}
    for image in forgetting.allowed(connection, images):
        if image.id not in settled:
            fresh[image.id] = image
            if image.status is Status.STORED:
                settled.add(image.id)
    return list(fresh.values())
