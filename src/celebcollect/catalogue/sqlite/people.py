"""What the embedded catalogue does with people, each function inside a transaction that its caller opened."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from celebcollect.catalogue.keys import all_folded, number, numbers, person_of
from celebcollect.catalogue.state import SearchState
from celebcollect.domain.records import Celebrity, Image


def keys(qids: Iterable[str]) -> str:
    """Return the keys of people as a JSON list for `json_each`; what is no QID is left out."""
    return json.dumps(numbers(qids))


def save(connection: sqlite3.Connection, people: Sequence[Celebrity]) -> tuple[int, int]:
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
                query = (
                    "UPDATE celebrities SET sitelinks = ?, origin = ?, data = ? WHERE person = ?"
                )
                connection.execute(query, (_fame(person), person.origin, data, key))
                old = Celebrity.model_validate_json(before)
                connection.executemany(
                    "DELETE FROM names WHERE folded = ? AND person = ?",
                    [(name, key) for name in all_folded(old)],
                )
                if old.portraits != person.portraits:
                    # Which picture is trusted decides about all others.
                    connection.execute(
                        "UPDATE work SET revision = revision + 1 WHERE person = ? AND revision > 0",
                        (key,),
                    )
                _add_names(connection, [person])
            changed += 1
        else:
            continue
        known[key] = data
    _insert(connection, new)
    return len(new), changed


def _insert(connection: sqlite3.Connection, people: Mapping[int, Celebrity]) -> None:
    if not people:
        return
    # Three statements, not three for each person: after each of them a thread waits for its turn
    # among Python's others.
    rows = json.dumps(
        [(key, _fame(person), person.origin, person.to_text()) for key, person in people.items()]
    )
    connection.execute(
        "INSERT INTO celebrities SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)",
        (rows,),
    )
    connection.execute(
        "INSERT INTO work (person) SELECT value FROM json_each(?)", (json.dumps(list(people)),)
    )
    _add_names(connection, people.values())


def add_missing(connection: sqlite3.Connection, images: Sequence[Image]) -> None:
    """Insert the people of images whom the catalogue does not know yet, with what the images say of them."""
    first = {image.qid: image for image in reversed(images)}
    query = "SELECT person FROM json_each(?) CROSS JOIN celebrities WHERE person = value"
    known = {f"Q{person}" for (person,) in connection.execute(query, (keys(first),))}
    _insert(
        connection,
        {number(qid): person_of(image) for qid, image in first.items() if qid not in known},
    )


def need_search(
    connection: sqlite3.Connection, source: str, taken: str, *, target: int, limit: int
) -> list[str]:
    """Return whom `source` should search; `taken` is a JSON list of people to leave out, a negative limit means all."""
    # Two walks along the index of fame instead of one that sorts everybody: the first ends as soon
    # as it has enough.
    people = "SELECT c.person FROM celebrities c CROSS JOIN work w USING (person)"
    open_to_search = (
        "w.verified + w.stored + w.accepted < :target AND c.person NOT IN (SELECT value FROM json_each(:taken))"
        " AND NOT EXISTS (SELECT 1 FROM forgotten f WHERE f.person = c.person)"
        " ORDER BY c.sitelinks DESC, c.person LIMIT :limit"
    )
    never = (
        f"{people} WHERE NOT EXISTS (SELECT 1 FROM searches s WHERE s.person = c.person AND s.source = :source"  # noqa: S608 - no outside text
        f" AND (s.rounds > 0 OR s.exhausted)) AND {open_to_search}"
    )
    again = f"{people} CROSS JOIN searches s WHERE s.person = c.person AND s.source = :source AND s.rounds > 0 AND NOT s.exhausted AND {open_to_search}"
    arguments = {"source": source, "target": target, "taken": taken, "limit": limit}
    found = [f"Q{person}" for (person,) in connection.execute(never, arguments)]
    if limit < 0 or len(found) < limit:
        arguments["limit"] = limit - len(found) if limit >= 0 else -1
        found += [f"Q{person}" for (person,) in connection.execute(again, arguments)]
    return found


def search_state(rounds: int, offered: int, exhausted: int, at: str | None) -> SearchState:
    """Read a row of `searches`."""
    return SearchState(
        rounds=rounds,
        offered=offered,
        exhausted=bool(exhausted),
        at=None if at is None else datetime.fromisoformat(at),
    )


def _fame(person: Celebrity) -> int:
    # SQLite keeps 64 bits; the record itself keeps whatever an endpoint said.
    return max(-(2**63), min(person.sitelinks, 2**63 - 1))


def _add_names(connection: sqlite3.Connection, people: Iterable[Celebrity]) -> None:
    rows = json.dumps(
        [(name, number(person.qid)) for person in people for name in all_folded(person)]
    )
    connection.execute(
        "INSERT INTO names SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
        (rows,),
    )
