"""The catalogue in one SQLite file: for one workstation, shared by as many processes and threads as wanted.

Every look-up is served by an index (a test asks SQLite), so that a batch costs the same among a
million images. What has to walk along all people, in the order of an index, says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from celebcollect.catalogue import bands, tasks
from celebcollect.catalogue.keys import STATUSES, folded, number, numbers, own_id
from celebcollect.catalogue.sqlite import faces as embedded_faces
from celebcollect.catalogue.sqlite import forgetting as embedded_forget
from celebcollect.catalogue.sqlite import marks as embedded_marks
from celebcollect.catalogue.sqlite import people as embedded_people
from celebcollect.catalogue.sqlite import schema
from celebcollect.catalogue.sqlite.people import keys
from celebcollect.catalogue.state import (
    Cleaning,
    Counts,
    PersonFace,
    PersonState,
    SaveCounts,
    SearchState,
)
from celebcollect.disk import owners
from celebcollect.domain.batches import batches
from celebcollect.domain.errors import CatalogueError
from celebcollect.domain.records import Celebrity, Image, Record, Status

BATCH = 500
"""Rows per transaction or page where a call brings many: keeps other processes' waiting short and
memory flat."""

R = TypeVar("R", bound=Record)


class EmbeddedCatalogue:
    """
    Keeps the catalogue in a file; see `base.Catalogue` for what the methods promise.

    Raises:
        CatalogueError: The file cannot be opened, is damaged, or is not ours; later: the disk is
            full or failed.
    """

    kind: Literal["embedded", "mongo"] = "embedded"

    def __init__(self, file: Path) -> None:
        self._database = schema.open_catalogue(file)

    # people

    def save_people(self, people: Sequence[Celebrity]) -> SaveCounts:
        """Insert or refresh people."""
        new = changed = forgotten = 0
        for batch in batches(people, BATCH):
            with self._database.transaction() as connection:
                allowed = embedded_forget.admit(connection, batch)
                more_new, more_changed = embedded_people.save(connection, allowed)
            new += more_new
            changed += more_changed
            forgotten += len(batch) - len(allowed)
        return SaveCounts(
            new=new,
            changed=changed,
            unchanged=len(people) - new - changed - forgotten,
            forgotten=forgotten,
        )

    def people(
        self, qids: Collection[str] | None = None, *, limit: int | None = None
    ) -> list[Celebrity]:
        """Return people by fame."""
        # The cross join keeps SQLite from walking along all people by fame when a few are asked
        # for.
        wanted, arguments = ("", ()) if qids is None else ("json_each(?) CROSS JOIN", (keys(qids),))
        condition = "" if qids is None else "WHERE person = value"
        query = f"SELECT data FROM {wanted} celebrities {condition} ORDER BY sitelinks DESC, person LIMIT ?"  # noqa: S608 - no outside text
        return [
            self._read(Celebrity, data) for (data,) in self._rows(query, *arguments, _limit(limit))
        ]

    def find_people(self, name: str) -> list[Celebrity]:
        """Return the people of exactly this name or alias, by fame."""
        query = "SELECT data FROM names CROSS JOIN celebrities USING (person) WHERE folded = ? ORDER BY sitelinks DESC, person"
        return [self._read(Celebrity, data) for (data,) in self._rows(query, folded(name))]

    def states(self, qids: Collection[str]) -> dict[str, PersonState]:
        """Return the state of each known person of `qids`."""
        wanted = keys(qids)
        with self._database.transaction(write=False) as connection:
            work = connection.execute(
                "SELECT person, rounds, finished, verified, stored, accepted, rejected, failed"
                " FROM json_each(?) CROSS JOIN work WHERE person = value",
                (wanted,),
            ).fetchall()
            found = connection.execute(
                "SELECT person, source, rounds, offered, exhausted, at FROM json_each(?) CROSS JOIN searches WHERE person = value",
                (wanted,),
            ).fetchall()
        searches: dict[int, dict[str, SearchState]] = {}
        for person, source, *state in found:
            searches.setdefault(person, {})[source] = embedded_people.search_state(*state)
        return {
            f"Q{person}": PersonState(
                qid=f"Q{person}",
                rounds=rounds,
                finished=bool(finished),
                searches=searches.get(person, {}),
                images=dict(zip(STATUSES, counts, strict=True)),
            )
            for person, rounds, finished, *counts in work
        }

    # work

    def need_search(self, source: str, *, target: int, limit: int | None = None) -> list[str]:
        """Return QIDs whom `source` should search; walks along the people by fame until it has `limit`."""
        me = owners.this_owner()
        with self._database.transaction(write=False) as connection:
            held = connection.execute(
                "SELECT person, owner FROM claims WHERE task = ? AND until > ? AND owner <> ?",
                (tasks.search_task(source), time.time(), me),
            ).fetchall()
            dead = owners.dead_owners(owner for _, owner in held)
            taken = json.dumps([person for person, owner in held if owner not in dead])
            return embedded_people.need_search(
                connection, source, taken, target=target, limit=_limit(limit)
            )

    def need_cleaning(
        self, fingerprint: str, *, qids: Collection[str] | None = None, limit: int | None = None
    ) -> list[Cleaning]:
        """Return people to clean, by QID number."""
        if qids is None:
            query = (
                f"SELECT person, revision FROM work INDEXED BY work_to_clean WHERE revision > cleaned AND {_ALLOWED}"  # noqa: S608
                f" UNION SELECT person, revision FROM work INDEXED BY work_cleaned_with WHERE revision > 0 AND cleaned_with < ?1 AND {_ALLOWED}"
                f" UNION SELECT person, revision FROM work INDEXED BY work_cleaned_with WHERE revision > 0 AND cleaned_with > ?1 AND {_ALLOWED}"
                " ORDER BY person LIMIT ?2"
            )
            rows = self._rows(query, fingerprint, _limit(limit))
        else:
            query = (
                "SELECT person, revision FROM json_each(?) CROSS JOIN work"  # noqa: S608
                f" WHERE person = value AND revision > 0 AND (revision > cleaned OR cleaned_with <> ?) AND {_ALLOWED} ORDER BY person LIMIT ?"
            )
            rows = self._rows(query, keys(qids), fingerprint, _limit(limit))
        return [Cleaning(f"Q{person}", revision) for person, revision in rows]

    def clean_again(self, qids: Collection[str]) -> None:
        """Put people in need of cleaning."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE work SET revision = revision + 1 WHERE person IN (SELECT value FROM json_each(?))",
                (keys(qids),),
            )

    def claim(self, task: str, qids: Sequence[str], *, owner: str, lease_s: float) -> list[str]:
        """Take people for a task."""
        people = [number(qid) for qid in dict.fromkeys(qids)]
        with self._database.transaction() as connection:
            now = time.time()
            query = "SELECT person, owner FROM json_each(?) CROSS JOIN claims WHERE task = ? AND person = value AND until > ? AND owner <> ?"
            held = connection.execute(query, (json.dumps(people), task, now, owner)).fetchall()
            dead = owners.dead_owners(holder for _, holder in held)
            taken = {person for person, holder in held if holder not in dead}
            free = [person for person in people if person not in taken]
            connection.executemany(
                "INSERT INTO claims VALUES (?, ?, ?, ?) ON CONFLICT (task, person) DO UPDATE SET owner = excluded.owner, until = excluded.until",
                [(task, person, owner, now + lease_s) for person in free],
            )
        return [f"Q{person}" for person in free]

    def release(self, task: str, qids: Sequence[str], *, owner: str) -> None:
        """Give claims back."""
        with self._database.transaction() as connection:
            query = "DELETE FROM claims WHERE task = ? AND person IN (SELECT value FROM json_each(?)) AND owner = ?"
            connection.execute(query, (task, keys(qids), owner))

    def record_search(self, qid: str, source: str, state: SearchState) -> None:
        """Set how far `source` has searched for the person."""
        at = None if state.at is None else state.at.isoformat()
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO searches SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM forgotten WHERE person = ?1)"
                " ON CONFLICT (person, source) DO UPDATE SET"
                " rounds = excluded.rounds, offered = excluded.offered, exhausted = excluded.exhausted, at = excluded.at",
                (number(qid), source, state.rounds, state.offered, state.exhausted, at),
            )

    def record_round(self, qid: str, *, rounds: int, finished: bool) -> None:
        """Set how far `run-all` has come with the person."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE work SET rounds = ?, finished = ? WHERE person = ?",
                (rounds, finished, number(qid)),
            )

    def record_cleaned(self, cleaning: Cleaning, fingerprint: str) -> None:
        """Mark the person as cleaned as of a revision; a slower cleaner of an older one changes nothing."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE work SET cleaned = ?1, cleaned_with = ?2 WHERE person = ?3 AND cleaned <= ?1",
                (cleaning.revision, fingerprint, number(cleaning.qid)),
            )

    # images

    def known(self, ids: Collection[str]) -> set[str]:
        """Return those image ids that exist."""
        return {
            found
            for (found,) in self._rows(f"SELECT images.id FROM {_BY_ID}", json.dumps(list(ids)))  # noqa: S608
        }

    def add_verified(self, images: Sequence[Image]) -> int:
        """Insert rows and people that are missing."""
        new = 0
        for batch in batches(images, BATCH):
            with self._database.transaction() as connection:
                allowed = embedded_forget.allowed(connection, batch)
                embedded_people.add_missing(connection, allowed)
                new += connection.execute(
                    _INSERT_MANY, (json.dumps([_row(image) for image in allowed]),)
                ).rowcount
        return new

    def images_by_id(self, ids: Collection[str]) -> dict[str, Image]:
        """Return the rows that exist, by id."""
        found = (
            self._read(Image, data)
            for (data,) in self._rows(f"SELECT data FROM {_BY_ID}", json.dumps(list(ids)))  # noqa: S608
        )
        return {image.id: image for image in found}

    def record_stored(self, images: Sequence[Image]) -> None:
        """Write what `store` found, and put the people with new pictures in need of cleaning."""
        for batch in batches(images, BATCH):
            with self._database.transaction() as connection:
                query = f"SELECT images.id FROM {_BY_ID} AND status IN ('stored', 'accepted', 'rejected')"  # noqa: S608
                settled = {
                    found
                    for (found,) in connection.execute(
                        query, (json.dumps([image.id for image in batch]),)
                    )
                }
                fresh: dict[str, Image] = {}
                for image in embedded_forget.allowed(connection, batch):
                    if image.id not in settled:
                        fresh[image.id] = image
                        if image.status is Status.STORED:
                            settled.add(image.id)
                embedded_people.add_missing(connection, list(fresh.values()))
                connection.executemany(_REPLACE, map(_row, fresh.values()))
                changed = {image.qid for image in fresh.values() if image.status is Status.STORED}
                query = "UPDATE work SET revision = revision + 1 WHERE person IN (SELECT value FROM json_each(?))"
                connection.execute(query, (keys(changed),))
                embedded_marks.settle(connection, len(fresh))

    def with_bytes(self, shas: Collection[str]) -> list[Image]:
        """Return all rows with one of these SHA-256 digests, by QID number and id."""
        # which row it is, and then the row: each look sees one state, and needs no more
        with self._database.connection() as connection:
            found = embedded_marks.of_bytes(connection, shas)
        wanted = set(shas)
        return [
            image for image in (self._read(Image, data) for data in found) if image.sha256 in wanted
        ]

    def similar(self, phashes: Collection[str], *, version: int, bits: int) -> list[Image]:
        """Return all rows whose hash is like one of these, by QID number and id."""
        with self._database.transaction(write=False) as connection:
            found = embedded_marks.of_hashes(connection, phashes, bits)
        return [
            image
            for image in (self._read(Image, data) for data in found)
            if image.phash_version == version
        ]

    def person_images(self, qid: str) -> list[Image]:
        """Return all rows of a person, by id."""
        return list(self.images(qid=qid))

    def record_verdicts(self, images: Sequence[Image]) -> None:
        """Write what `clean` decided."""
        for batch in batches(images, BATCH):
            with self._database.transaction() as connection:
                query = "UPDATE images SET status = ?3, reason = ?4, sha256 = ?5, phash = ?6, data = ?7 WHERE person = ?1 AND id = ?2"
                connection.executemany(query, map(_row, batch))

    def images(self, *, qid: str | None = None, status: Status | None = None) -> Iterator[Image]:
        """Yield rows by QID number and id, a page at a time: nothing stays locked in between, what is written meanwhile may be seen or not."""
        for person in numbers([qid]) if qid is not None else self._people_with(status):
            after = ""
            while True:
                query = "SELECT id, data FROM images WHERE person = ?1 AND id > ?2 AND (?3 IS NULL OR status = ?3) ORDER BY id LIMIT ?4"
                page = self._rows(query, person, after, status, BATCH)
                for _, data in page:
                    yield self._read(Image, data)
                if len(page) < BATCH:
                    break
                after = page[-1][0]

    def _people_with(self, status: Status | None) -> Iterator[int]:
        after = 0
        counter = (
            "verified + stored + accepted + rejected + failed"
            if status is None
            else Status(status).value
        )
        while page := self._rows(
            f"SELECT person FROM work WHERE person > ? AND {counter} > 0 ORDER BY person LIMIT ?",  # noqa: S608
            after,
            BATCH,
        ):
            yield from (person for (person,) in page)
            after = page[-1][0]

    def counts(self) -> Counts:
        """Return the totals; the counters are kept by triggers, only people are counted."""
        with self._database.transaction(write=False) as connection:
            celebrities = connection.execute("SELECT count(*) FROM celebrities").fetchone()[0]
            totals = connection.execute(
                "SELECT status, reason, n FROM totals WHERE n > 0"
            ).fetchall()
        images = dict.fromkeys(Status, 0)
        reasons: dict[str, int] = {}
        for status, reason, n in totals:
            images[Status(status)] += n
            if reason and status in (Status.REJECTED, Status.FAILED):
                reasons[reason] = reasons.get(reason, 0) + n
        return Counts(
            celebrities=celebrities,
            images=images,
            reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        )

    # faces

    def record_face(self, face: PersonFace) -> None:
        """Write a person's face."""
        with self._database.transaction() as connection:
            embedded_faces.record(connection, face)

    def faces_of(self, qids: Collection[str]) -> dict[str, PersonFace]:
        """Return the faces of people."""
        with self._database.transaction(write=False) as connection:
            return {face.qid: face for face in embedded_faces.of(connection, qids)}

    def faces_held_against(self, qid: str) -> set[str]:
        """Return the people whose faces are held against this one."""
        with self._database.transaction(write=False) as connection:
            return embedded_faces.held_against(connection, qid)

    def faces_since(self, mark: float) -> tuple[list[PersonFace], float]:
        """Return the faces that were written since a mark."""
        with self._database.transaction(write=False) as connection:
            return embedded_faces.since(connection, int(mark))

    # forgetting

    def forbid(self, qids: Collection[str], external_ids: Collection[str] = ()) -> None:
        """Remember that nothing may be collected about these people."""
        with self._database.transaction() as connection:
            embedded_forget.forbid(connection, qids, external_ids)

    def forgotten(self, qids: Collection[str]) -> set[str]:
        """Return those people about whom nothing may be collected."""
        with self._database.connection() as connection:
            return {f"Q{person}" for person in embedded_forget.forbidden(connection, qids)}

    def forget(self, qid: str) -> int:
        """Remove all that is known of a person; the whole file is written anew, so that nothing is left in its free space."""
        with self._database.transaction() as connection:
            embedded_forget.forbid(connection, [qid], ())
            removed = embedded_forget.forget(connection, qid)
        self._database.wipe()
        return removed

    # notes

    def note(self, key: str) -> dict[str, Any] | None:
        """Return a note, or None."""
        rows = self._rows("SELECT value FROM notes WHERE key = ?", key)
        return dict(json.loads(rows[0][0])) if rows else None

    def set_note(self, key: str, value: Mapping[str, Any] | None) -> None:
        """Write or remove a note."""
        with self._database.transaction() as connection:
            if value is None:
                connection.execute("DELETE FROM notes WHERE key = ?", (key,))
            else:
                query = "INSERT INTO notes VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
                connection.execute(query, (key, json.dumps(dict(value), ensure_ascii=False)))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _rows(self, query: str, *arguments: object) -> list[Any]:
        with self._database.connection() as connection:
            return connection.execute(query, arguments).fetchall()

    def _read(self, model: type[R], data: str) -> R:
        try:
            return model.model_validate_json(data)
        except ValidationError as error:
            raise CatalogueError(
                f"the catalogue {self._database.file} holds a damaged record: {data[:80]!r}",
                hint="Restore it from a backup.",
            ) from error


_BY_ID = "json_each(?) CROSS JOIN images WHERE person = CAST(substr(value, 2) AS INTEGER) AND images.id = value"
"""An image's id begins with its person (`Q42:...`), whose number leads the index; SQLite's CAST
reads the digits that a text begins with."""

_ALLOWED = "NOT EXISTS (SELECT 1 FROM forgotten WHERE forgotten.person = work.person)"

_INSERT = "INSERT INTO images (person, id, status, reason, sha256, phash, data) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (person, id)"

_INSERT_MANY = (
    # One statement instead of one for each row: SQLite then works beside Python, not in turns with
    # it.
    "INSERT INTO images (person, id, status, reason, sha256, phash, data)"
    " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 FROM json_each(?)"
    " WHERE true ON CONFLICT (person, id) DO NOTHING"
)

_REPLACE = (
    f"{_INSERT} DO UPDATE SET status = excluded.status, reason = excluded.reason,"
    " sha256 = excluded.sha256, phash = excluded.phash, data = excluded.data"
)


def _limit(limit: int | None) -> int:
    # SQLite's numbers end there, and so many rows are all of them.
    return -1 if limit is None else min(limit, 2**63 - 1)


def _row(image: Image) -> tuple[int, str, str, str | None, int | None, int | None, str]:
    sha256 = None if image.sha256 is None else embedded_marks.digest(image.sha256)
    phash = None if image.phash is None else bands.signed(image.phash)
    return (
        number(image.qid),
        own_id(image),
        str(image.status),
        image.reason,
        sha256,
        phash,
        image.to_text(),
    )
