"""Notes in the embedded catalogue."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from celebcollect.catalogue.notes import Change
from celebcollect.catalogue.sqlite.part import EmbeddedPart


class EmbeddedNotes(EmbeddedPart):
    """See `notes.SharedNotes`."""

    def note(self, key: str) -> dict[str, Any] | None:
        """Return a note, or None."""
        rows = self._rows("SELECT value FROM notes WHERE key = ?", key)
        return dict(json.loads(rows[0][0])) if rows else None

    def set_note(self, key: str, value: Mapping[str, Any] | None) -> None:
        """Write or remove a note."""
        with self._file.transaction() as connection:
            _write(connection, key, value)

    def change_note(self, key: str, change: Change) -> None:
        """Replace a note by what `change` makes of it."""
        # A writing transaction is the only one over all processes, from before it reads.
        with self._file.transaction() as connection:
            query = "SELECT value FROM notes WHERE key = ?"
            row = connection.execute(query, (key,)).fetchone()
            _write(connection, key, change(dict(json.loads(row[0])) if row else {}) or None)


def _write(connection: sqlite3.Connection, key: str, value: Mapping[str, Any] | None) -> None:
    if value is None:
        connection.execute("DELETE FROM notes WHERE key = ?", (key,))
        return
    query = """
        INSERT INTO notes VALUES (?, ?)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value
    """
    # In ASCII: a file name that is no UTF-8 is a text that no encoding but JSON's takes.
    connection.execute(query, (key, json.dumps(dict(value))))
