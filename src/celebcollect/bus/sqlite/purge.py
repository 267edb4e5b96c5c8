"""Remove single messages from the embedded log, as if they had never been published."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from celebcollect.bus.base import Message
from celebcollect.bus.sqlite.logfile import (
    OFFSET_BITS,
    connect,
    page,
    to_message,
    trouble,
    wipe,
    writing,
)

_PAGE = 500
"""Messages looked at at once; those of a page that are picked go in one transaction."""


def purge(folder: Path, about: Callable[[Message], bool]) -> dict[str, int]:
    """Remove the messages of the log in `folder` that `about` picks; return how many of each topic. Looks at every message."""
    removed: dict[str, int] = {}
    with closing(connect(folder)) as connection:
        with trouble(folder):
            topics = connection.execute(
                "SELECT name, id, compacted FROM topics ORDER BY name"
            ).fetchall()
        for name, topic_id, compacted in topics:
            first, end = topic_id << OFFSET_BITS, (topic_id + 1) << OFFSET_BITS
            while True:
                with trouble(folder):
                    rows = page(connection, first, end, _PAGE)
                if not rows:
                    break
                picked = [row[0] for row in rows if about(to_message(name, row))]
                if picked:
                    with trouble(folder), writing(connection):
                        removed[name] = removed.get(name, 0) + _remove(
                            connection, topic_id, picked, compacted=bool(compacted)
                        )
                first = rows[-1][0] + 1
        # Even when nothing was picked: a purge that was killed may have left what it removed in the
        # free space.
        wipe(connection, folder)
    return removed


def _remove(
    connection: sqlite3.Connection, topic_id: int, ids: list[int], *, compacted: bool
) -> int:
    wanted = json.dumps(ids)
    gone = connection.execute(
        "DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?)) RETURNING id", (wanted,)
    ).fetchall()
    if compacted:
        connection.execute(
            "DELETE FROM newest WHERE topic = ? AND id IN (SELECT value FROM json_each(?))",
            (topic_id, wanted),
        )
    else:
        connection.executemany("INSERT INTO purged VALUES (?)", gone)
    return len(gone)
