"""Notes in the embedded catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from celebcollect.catalogue.sqlite.part import EmbeddedPart


class EmbeddedNotes(EmbeddedPart):
    """See `base.Notes`."""

    def note(self, key: str) -> dict[str, Any] | None:
        """Return a note, or None."""
        rows = self._rows("SELECT value FROM notes WHERE key = ?", key)
        return dict(json.loads(rows[0][0])) if rows else None

    def set_note(self, key: str, value: Mapping[str, Any] | None) -> None:
        """Write or remove a note."""
        with self._file.transaction() as connection:
            if value is None:
                connection.execute("DELETE FROM notes WHERE key = ?", (key,))
                return
            query = """
                INSERT INTO notes VALUES (?, ?)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value
            """
            connection.execute(query, (key, json.dumps(dict(value), ensure_ascii=False)))
