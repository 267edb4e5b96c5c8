"""People in the embedded catalogue, and how far each has come."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from celebcollect.catalogue.keys import STATUSES, all_folded, folded, number, person_of
from celebcollect.catalogue.sqlite import forgetting
from celebcollect.catalogue.sqlite.part import BATCH, EmbeddedPart, keys, limit_of
from celebcollect.catalogue.state import PersonState, SaveCounts, SearchState
from celebcollect.domain.batches import batches
from celebcollect.domain.records import Celebrity, Image


class EmbeddedPeople(EmbeddedPart):
    """See `base.People`."""

    def save_people(self, people: Sequence[Celebrity]) -> SaveCounts:
        """Insert or refresh people."""
        new = changed = forgotten = 0
        for batch in batches(people, BATCH):
            with self._file.transaction() as connection:
                allowed = forgetting.admit(connection, batch)
                more_new, more_changed = _save(connection, allowed)
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
        if qids is None:
            query = """
                SELECT data FROM celebrities
                ORDER BY sitelinks DESC, person LIMIT ?
            """
            rows = self._rows(query, limit_of(limit))
        else:
            # The cross join keeps SQLite from walking along all people by fame.
            query = """
                SELECT data FROM json_each(?) CROSS JOIN celebrities
                WHERE person = value
                ORDER BY sitelinks DESC, person LIMIT ?
            """
            rows = self._rows(query, keys(qids), limit_of(limit))
        return [self._read(Celebrity, data) for (data,) in rows]

    def find_people(self, name: str) -> list[Celebrity]:
        """Return the people of exactly this name or alias, by fame."""
        query = """
            SELECT data FROM names CROSS JOIN celebrities USING (person)
            WHERE folded = ?
            ORDER BY sitelinks DESC, person
        """
        return [self._read(Celebrity, data) for (data,) in self._rows(query, folded(name))]

    def states(self, qids: Collection[str]) -> dict[str, PersonState]:
        """Return the state of each known person of `qids`."""
        wanted = keys(qids)
        of_person = """
            SELECT person, rounds, finished, verified, stored, accepted, rejected, failed
            FROM json_each(?) CROSS JOIN work WHERE person = value
        """
        of_search = """
            SELECT person, source, rounds, offered, exhausted, at, portraits
            FROM json_each(?) CROSS JOIN searches WHERE person = value
        """
        with self._file.transaction(write=False) as connection:
            work = connection.execute(of_person, (wanted,)).fetchall()
            found = connection.execute(of_search, (wanted,)).fetchall()
        searches: dict[int, dict[str, SearchState]] = {}
        for person, source, *state in found:
            searches.setdefault(person, {})[source] = _search_state(*state)
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


def add_missing(connection: sqlite3.Connection, images: Sequence[Image]) -> None:
    """Insert the people of images who are not known yet, with what the images say of them."""
    first = {image.qid: image for image in reversed(images)}
    query = "SELECT person FROM json_each(?) CROSS JOIN celebrities WHERE person = value"
    known = {f"Q{person}" for (person,) in connection.execute(query, (keys(first),))}
    missing = {number(qid): person_of(image) for qid, image in first.items() if qid not in known}
    _insert(connection, missing)


def _save(connection: sqlite3.Connection, people: Sequence[Celebrity]) -> tuple[int, int]:
    """Insert people or refresh them; return how many are new and how many changed."""
    query = "SELECT person, data FROM json_each(?) CROSS JOIN celebrities WHERE person = value"
    known = dict(connection.execute(query, (keys(person.qid for person in people),)).fetchall())
    new: dict[int, Celebrity] = {}
    changed = 0
    for person in people:
        key, data = number(person.qid), person.to_text()
        before = known.get(key)
        if before is None:
            new[key] = person
        elif before != data and person.origin == "wikidata":
            if key in new:
                new[key] = person
            else:
                _refresh(connection, key, person, Celebrity.model_validate_json(before))
            changed += 1
        else:
            continue
        known[key] = data
    _insert(connection, new)
    return len(new), changed


def _refresh(
    connection: sqlite3.Connection, key: int, person: Celebrity, before: Celebrity
) -> None:
    query = "UPDATE celebrities SET sitelinks = ?, origin = ?, data = ? WHERE person = ?"
    connection.execute(query, (_fame(person), person.origin, person.to_text(), key))
    connection.executemany(
        "DELETE FROM names WHERE folded = ? AND person = ?",
        [(name, key) for name in all_folded(before)],
    )
    if before.portraits != person.portraits:
        # Which picture is trusted decides about all others.
        connection.execute(
            "UPDATE work SET revision = revision + 1 WHERE person = ? AND revision > 0", (key,)
        )
    _add_names(connection, [person])


def _insert(connection: sqlite3.Connection, people: Mapping[int, Celebrity]) -> None:
    if not people:
        return
    # Three statements, not three for each person: after each of them a thread waits for its turn
    # among Python's others.
    rows = json.dumps(
        [(key, _fame(person), person.origin, person.to_text()) for key, person in people.items()]
    )
    insert_people = """
        INSERT INTO celebrities
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)
    """
    connection.execute(insert_people, (rows,))
    connection.execute(
        "INSERT INTO work (person) SELECT value FROM json_each(?)", (json.dumps(list(people)),)
    )
    _add_names(connection, people.values())


def _add_names(connection: sqlite3.Connection, people: Iterable[Celebrity]) -> None:
    rows = json.dumps(
        [(name, number(person.qid)) for person in people for name in all_folded(person)]
    )
    query = """
        INSERT INTO names
        SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE true
        ON CONFLICT DO NOTHING
    """
    connection.execute(query, (rows,))


def _fame(person: Celebrity) -> int:
    # SQLite keeps 64 bits; the record itself keeps whatever an endpoint said.
    return max(-(2**63), min(person.sitelinks, 2**63 - 1))


def _search_state(
    rounds: int, offered: int, exhausted: int, at: str | None, portraits: str | None
) -> SearchState:
    return SearchState(
        rounds=rounds,
        offered=offered,
        exhausted=bool(exhausted),
        at=None if at is None else datetime.fromisoformat(at),
        portraits=None if portraits is None else json.loads(portraits),
    )
