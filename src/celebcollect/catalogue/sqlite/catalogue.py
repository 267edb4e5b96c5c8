"""The catalogue in one SQLite file, put together from its six parts.

It is for one workstation, shared by as many processes and threads as wanted. Every look-up is
served by an index (a test asks SQLite), so that a batch costs the same among a million images. What
has to walk along all people, in the order of an index, says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from celebcollect.catalogue.sqlite.faces import EmbeddedFaces
from celebcollect.catalogue.sqlite.forgetting import EmbeddedForgetting
from celebcollect.catalogue.sqlite.images import EmbeddedImages
from celebcollect.catalogue.sqlite.notes import EmbeddedNotes
from celebcollect.catalogue.sqlite.people import EmbeddedPeople
from celebcollect.catalogue.sqlite.schema import open_catalogue
from celebcollect.catalogue.sqlite.work import EmbeddedWork


class EmbeddedCatalogue(
    EmbeddedPeople,
    EmbeddedWork,
    EmbeddedImages,
    EmbeddedFaces,
    EmbeddedForgetting,
    EmbeddedNotes,
):
    """
    Keeps the catalogue in a file; see `base.Catalogue` for what the methods promise.

    The parts know the file and nothing of one another; what two of them do alike is a function.

    Raises:
        CatalogueError: The file cannot be opened, is damaged, or is not ours; later: the disk is
            full or failed.
    """

    kind: Literal["embedded", "mongo"] = "embedded"

    def __init__(self, file: Path) -> None:
        super().__init__(open_catalogue(file))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
