"""Notes in MongoDB."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from celebcollect.catalogue.mongo.part import MongoPart, retried


class MongoNotes(MongoPart):
    """See `base.Notes`."""

    @retried
    def note(self, key: str) -> dict[str, Any] | None:
        """Return a note, or None."""
        found = self._all.notes.find_one({"_id": key})
        return None if found is None else dict(json.loads(found["value"]))

    @retried
    def set_note(self, key: str, value: Mapping[str, Any] | None) -> None:
        """Write or remove a note."""
        if value is None:
            self._all.notes.delete_one({"_id": key})
        else:
            self._all.notes.replace_one(
                {"_id": key}, {"value": json.dumps(dict(value), ensure_ascii=False)}, upsert=True
            )
