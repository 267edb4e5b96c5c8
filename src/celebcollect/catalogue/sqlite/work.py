"""The work on people in the embedded catalogue: who needs it, who has claimed whom."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Sequence

from celebcollect.catalogue import tasks
from celebcollect.catalogue.keys import number
from celebcollect.catalogue.sqlite.part import EmbeddedPart, keys, limit_of
from celebcollect.catalogue.state import Cleaning, SearchState
from celebcollect.disk import owners

_NEVER_SEARCHED = """
    SELECT c.person FROM celebrities c CROSS JOIN work w USING (person)
    WHERE NOT EXISTS (
      SELECT 1 FROM searches s
      WHERE s.person = c.person AND s.source = :source AND (s.rounds > 0 OR s.exhausted)
    )
"""
_SEARCHED_BEFORE = """
    SELECT c.person FROM celebrities c CROSS JOIN work w USING (person) CROSS JOIN searches s
    WHERE s.person = c.person AND s.source = :source AND s.rounds > 0 AND NOT s.exhausted
"""
_OPEN_TO_SEARCH = """
    AND w.verified + w.stored + w.accepted < :target
    AND c.person NOT IN (SELECT value FROM json_each(:taken))
    AND NOT EXISTS (SELECT 1 FROM forgotten f WHERE f.person = c.person)
    ORDER BY c.sitelinks DESC, c.person LIMIT :limit
"""

_NEED_CLEANING = """
    SELECT person, revision FROM work INDEXED BY work_to_clean
    WHERE revision > cleaned
      AND NOT EXISTS (SELECT 1 FROM forgotten WHERE forgotten.person = work.person)
    UNION
    SELECT person, revision FROM work INDEXED BY work_cleaned_with
    WHERE revision > 0 AND cleaned_with < ?1
      AND NOT EXISTS (SELECT 1 FROM forgotten WHERE forgotten.person = work.person)
    UNION
    SELECT person, revision FROM work INDEXED BY work_cleaned_with
    WHERE revision > 0 AND cleaned_with > ?1
      AND NOT EXISTS (SELECT 1 FROM forgotten WHERE forgotten.person = work.person)
    ORDER BY person LIMIT ?2
"""
"""Less or greater, not unequal: an index serves both."""

_NEED_CLEANING_AMONG = """
    SELECT person, revision FROM json_each(?) CROSS JOIN work
    WHERE person = value AND revision > 0 AND (revision > cleaned OR cleaned_with <> ?)
      AND NOT EXISTS (SELECT 1 FROM forgotten WHERE forgotten.person = work.person)
    ORDER BY person LIMIT ?
"""


class EmbeddedWork(EmbeddedPart):
    """See `base.Work`."""

    def need_search(self, source: str, *, target: int, limit: int | None = None) -> list[str]:
        """Return whom `source` should search; walks along all by fame until it has `limit`."""
        query = "SELECT person, owner FROM claims WHERE task = ? AND until > ? AND owner <> ?"
        claimed = (tasks.search_task(source), time.time(), owners.this_owner())
        with self._file.transaction(write=False) as connection:
            held = connection.execute(query, claimed).fetchall()
            dead = owners.dead_owners(owner for _, owner in held)
            taken = json.dumps([person for person, owner in held if owner not in dead])
            return _need_search(connection, source, taken, target=target, limit=limit_of(limit))

    def need_cleaning(
        self, fingerprint: str, *, qids: Collection[str] | None = None, limit: int | None = None
    ) -> list[Cleaning]:
        """Return people to clean, by QID number."""
        if qids is None:
            rows = self._rows(_NEED_CLEANING, fingerprint, limit_of(limit))
        else:
            rows = self._rows(_NEED_CLEANING_AMONG, keys(qids), fingerprint, limit_of(limit))
        return [Cleaning(f"Q{person}", revision) for person, revision in rows]

    def clean_again(self, qids: Collection[str]) -> None:
        """Put people in need of cleaning."""
        with self._file.transaction() as connection:
            add_revision(connection, qids)

    def claim(self, task: str, qids: Sequence[str], *, owner: str, lease_s: float) -> list[str]:
        """Take people for a task."""
        people = [number(qid) for qid in dict.fromkeys(qids)]
        find = """
            SELECT person, owner FROM json_each(?) CROSS JOIN claims
            WHERE task = ? AND person = value AND until > ? AND owner <> ?
        """
        take = """
            INSERT INTO claims VALUES (?, ?, ?, ?)
            ON CONFLICT (task, person) DO UPDATE SET owner = excluded.owner, until = excluded.until
        """
        with self._file.transaction() as connection:
            now = time.time()
            held = connection.execute(find, (json.dumps(people), task, now, owner)).fetchall()
            dead = owners.dead_owners(holder for _, holder in held)
            taken = {person for person, holder in held if holder not in dead}
            free = [person for person in people if person not in taken]
            rows = [(task, person, owner, now + lease_s) for person in free]
            connection.executemany(take, rows)
        return [f"Q{person}" for person in free]

    def release(self, task: str, qids: Sequence[str], *, owner: str) -> None:
        """Give claims back."""
        query = """
            DELETE FROM claims
            WHERE task = ? AND person IN (SELECT value FROM json_each(?)) AND owner = ?
        """
        with self._file.transaction() as connection:
            connection.execute(query, (task, keys(qids), owner))

    def record_search(self, qid: str, source: str, state: SearchState) -> None:
        """Set how far `source` has searched for the person."""
        at = None if state.at is None else state.at.isoformat()
        query = """
            INSERT INTO searches (person, source, rounds, offered, exhausted, at, portraits)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
            WHERE NOT EXISTS (SELECT 1 FROM forgotten WHERE person = ?1)
            ON CONFLICT (person, source) DO UPDATE SET
              rounds = excluded.rounds, offered = excluded.offered,
              exhausted = excluded.exhausted, at = excluded.at,
              portraits = excluded.portraits
        """
        portraits = None if state.portraits is None else json.dumps(dict(state.portraits))
        row = (number(qid), source, state.rounds, state.offered, state.exhausted, at, portraits)
        with self._file.transaction() as connection:
            connection.execute(query, row)

    def record_round(self, qid: str, *, rounds: int, finished: bool) -> None:
        """Set how far `run-all` has come with the person."""
        query = "UPDATE work SET rounds = ?, finished = ? WHERE person = ?"
        with self._file.transaction() as connection:
            connection.execute(query, (rounds, finished, number(qid)))

    def record_cleaned(self, cleaning: Cleaning, fingerprint: str) -> None:
        """Mark the person as cleaned; a slower cleaner of an older revision changes nothing."""
        query = """
            UPDATE work SET cleaned = ?1, cleaned_with = ?2
            WHERE person = ?3 AND cleaned <= ?1
        """
        with self._file.transaction() as connection:
            connection.execute(query, (cleaning.revision, fingerprint, number(cleaning.qid)))


def add_revision(connection: sqlite3.Connection, qids: Collection[str]) -> None:
    """Put people in need of cleaning, in a transaction of the caller."""
    query = """
        UPDATE work SET revision = revision + 1
        WHERE person IN (SELECT value FROM json_each(?))
    """
    connection.execute(query, (keys(qids),))


def _need_search(
    connection: sqlite3.Connection, source: str, taken: str, *, target: int, limit: int
) -> list[str]:
    """Return whom to search; `taken` is a JSON list of people to leave out, limit -1 means all."""
    # Two walks along the index of fame instead of one that sorts everybody: the first ends as soon
    # as it has enough.
    arguments = {"source": source, "target": target, "taken": taken, "limit": limit}
    never = connection.execute(_NEVER_SEARCHED + _OPEN_TO_SEARCH, arguments)
    found = [f"Q{person}" for (person,) in never]
    if limit < 0 or len(found) < limit:
        arguments["limit"] = limit - len(found) if limit >= 0 else -1
        again = connection.execute(_SEARCHED_BEFORE + _OPEN_TO_SEARCH, arguments)
        found += [f"Q{person}" for (person,) in again]
    return found
