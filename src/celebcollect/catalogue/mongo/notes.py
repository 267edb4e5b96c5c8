"""Notes in MongoDB."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pymongo.errors import DuplicateKeyError

from celebcollect.catalogue.mongo.part import MongoPart, retried
from celebcollect.catalogue.notes import Change


class MongoNotes(MongoPart):
    """See `notes.SharedNotes`."""

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
            self._all.notes.replace_one({"_id": key}, {"value": _text(value)}, upsert=True)

    @retried
    def change_note(self, key: str, change: Change) -> None:
        """Replace a note by what `change` makes of it."""
        # Written only over what was read. Each try that fails is somebody else's that did not, so
        # this ends without a limit.
        while not self._exchange(key, change):
            pass

    def _exchange(self, key: str, change: Change) -> bool:
        notes, found = self._all.notes, self._all.notes.find_one({"_id": key})
        value = change({} if found is None else dict(json.loads(found["value"])))
        if found is None:
            try:
                if value:
                    notes.insert_one({"_id": key, "value": _text(value)})
            except DuplicateKeyError:
                return False
            return True
        as_read = {"_id": key, "value": found["value"]}
        if value:
            return notes.replace_one(as_read, {"value": _text(value)}).matched_count == 1
        return notes.delete_one(as_read).deleted_count == 1


def _text(value: Mapping[str, Any]) -> str:
    # In ASCII: a file name that is no UTF-8 is a text that no encoding but JSON's takes.
    return json.dumps(dict(value))
