"""The catalogue in MongoDB, put together from its six parts.

It is shared by workers on any number of machines. Nothing needs a transaction: each document is
written at once, in an order that a repetition completes. Only plain operators are used, and every
filter is served by an index (a test lists them).
"""

from __future__ import annotations

import threading
import uuid
from typing import Literal

from celebcollect.catalogue.mongo import schema
from celebcollect.catalogue.mongo.connection import MongoConnection
from celebcollect.catalogue.mongo.faces import MongoFaces
from celebcollect.catalogue.mongo.forgetting import MongoForgetting
from celebcollect.catalogue.mongo.images import MongoImages
from celebcollect.catalogue.mongo.notes import MongoNotes
from celebcollect.catalogue.mongo.people import MongoPeople
from celebcollect.catalogue.mongo.work import MongoWork
from celebcollect.catalogue.state import PORTRAITS_SINCE
from celebcollect.config.sections import MongoConfig
from celebcollect.domain.records import now


class MongoCatalogue(
    MongoPeople,
    MongoWork,
    MongoImages,
    MongoFaces,
    MongoForgetting,
    MongoNotes,
):
    """
    Keeps the catalogue in a MongoDB database; see `base.Catalogue` for what the methods promise.

    The parts know the connection and nothing of one another; what two of them do alike is a
    function. When the server goes away in the middle of the work, every method waits for it (see
    `MongoConnection.retry`), until `stop` is set.

    Raises:
        ConfigError: `mongo.uri` is no usable URI.
        CatalogueError: The server cannot be reached in time, or refuses us.
    """

    kind: Literal["embedded", "mongo"] = "mongo"

    def __init__(self, settings: MongoConfig, *, stop: threading.Event | None = None) -> None:
        connection = MongoConnection(settings, stop=stop)
        self._alias = f"celebcollect-{uuid.uuid4().hex}"
        shapes = schema.connect(connection.client, settings.database, self._alias)
        try:
            collections = connection.retry(
                lambda: schema.collections(connection.client, settings.database, shapes)
            )
        except BaseException:
            self.close()
            raise
        super().__init__(connection, collections)
        if self.note(PORTRAITS_SINCE) is None:
            self.set_note(PORTRAITS_SINCE, {"at": now().isoformat()})

    def close(self) -> None:
        """Close all connections."""
        schema.disconnect(self._alias)
