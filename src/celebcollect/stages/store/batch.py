"""What `store` keeps in mind: batches that are under way, and what it has seen lately."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import ExitStack

from celebcollect.domain.records import Image
from celebcollect.images.base import ImageStore
from celebcollect.pictures.decode import PictureFacts

_RECENT = 10_000
"""Pictures whose facts are kept at hand; 3 MB."""


class DownloadBatch:
    """The pictures of one batch of messages, and their files on the way to the disk."""

    def __init__(self, rows: Sequence[Image], folder: ImageStore) -> None:
        self.ids = frozenset(row.id for row in rows)
        self.look_again: set[str] = set()
        """Ids of pictures whose bytes were known already: their files may be moved by `clean` until
        the rows are written."""
        self._stack = ExitStack()
        self.files = self._stack.enter_context(folder.batch())

    def settle(self) -> None:
        """Make the files durable under their names."""
        self._stack.close()

    def discard(self) -> None:
        """Remove what has no name yet."""
        self.files.discard()
        self._stack.pop_all()


class RecentFacts:
    """
    Facts of bytes seen lately. Thread-safe.

    So a placeholder that one site serves for all its pictures is looked up once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._facts: OrderedDict[str, PictureFacts] = OrderedDict()

    def get(self, sha256: str) -> PictureFacts | None:
        """Return the facts, or None when the bytes are new or were seen long ago."""
        with self._lock:
            return self._facts.get(sha256)

    def put(self, sha256: str, facts: PictureFacts) -> None:
        """Remember facts."""
        with self._lock:
            self._facts[sha256] = facts
            self._facts.move_to_end(sha256)
            if len(self._facts) > _RECENT:
                self._facts.popitem(last=False)
