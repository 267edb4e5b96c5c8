"""The catalogue in MongoDB: people, images, claims and notes, shared by workers on any number of machines.

Nothing needs a transaction: each document is written at once, in an order that a repetition
completes. Only plain operators are used, and every filter is served by an index (a test lists
them).
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Collection, Mapping
from typing import Any, Literal

from celebcollect.catalogue.mongo import documents, forgetting
from celebcollect.catalogue.mongo.faces import Faces
from celebcollect.catalogue.mongo.link import Link, patient
from celebcollect.config.sections import MongoConfig


class MongoCatalogue(Faces):
    """
    Keeps the catalogue in a MongoDB database; see `base.Catalogue` for what the methods promise.

    When the server goes away in the middle of the work, every method waits for it (see
    `Link.patiently`), until `stop` is set.

    Raises:
        ConfigError: `mongo.uri` is no usable URI.
        CatalogueError: The server cannot be reached in time, or refuses us.
    """

    kind: Literal["embedded", "mongo"] = "mongo"

    def __init__(self, settings: MongoConfig, *, stop: threading.Event | None = None) -> None:
        link, self._alias = Link(settings, stop=stop), f"celebcollect-{uuid.uuid4().hex}"
        shapes = documents.connect(link.client, settings.database, self._alias)
        try:
            collections = link.patiently(lambda: documents.collections(shapes))
        except BaseException:
            self.close()
            raise
        super().__init__(link, collections)
        self._notes = collections.notes

    # forgetting

    @patient
    def forbid(self, qids: Collection[str], external_ids: Collection[str] = ()) -> None:
        """Remember people about whom nothing may be collected."""
        forgetting.forbid(self._all, qids, external_ids)

    @patient
    def forgotten(self, qids: Collection[str]) -> set[str]:
        """Return those people whom `forbid` named."""
        return forgetting.forbidden(self._all, qids)

    @patient
    def forget(self, qid: str) -> int:
        """
        Forbid a person, then remove every document about them; return how many images.

        The server overwrites the bytes in its files, its journal and its oplog in its own time.
        """
        return forgetting.forget(self._all, qid)

    # notes

    @patient
    def note(self, key: str) -> dict[str, Any] | None:
        """Return a note, or None."""
        found = self._notes.find_one({"_id": key})
        return None if found is None else dict(json.loads(found["value"]))

    @patient
    def set_note(self, key: str, value: Mapping[str, Any] | None) -> None:
        """Write or remove a note."""
        if value is None:
            self._notes.delete_one({"_id": key})
        else:
            self._notes.replace_one(
                {"_id": key}, {"value": json.dumps(dict(value), ensure_ascii=False)}, upsert=True
            )

    def close(self) -> None:
        """Close all connections."""
        documents.disconnect(self._alias)
