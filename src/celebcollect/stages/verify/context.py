"""What `verify` looks at and mends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, Self

from celebcollect.bus.base import Bus, Item
from celebcollect.catalogue.base import Forgetting, Images, People, SharedNotes, Work
from celebcollect.images.base import ImageStore
from celebcollect.stages.folder_notes import KnownFolders


class VerifyCatalogue(People, Work, Images, Forgetting, SharedNotes, Protocol):
    """What `verify` needs of the catalogue."""


@dataclass(frozen=True)
class MendContext:
    """What is changed to mend what was found about people."""

    catalogue: VerifyCatalogue
    folder: ImageStore
    publish: Callable[[Sequence[Item]], None]
    """Puts messages on the topic of clean pictures."""


@dataclass(frozen=True)
class VerifyContext(MendContext):
    """What `verify` looks at and mends."""

    bus: Bus
    clean_topic: str
    is_gallery: Callable[[Path], bool]
    """Tells whether a folder holds a page of ours."""
    folders: KnownFolders | None = None
    """Exports and galleries; None: those that are noted."""

    @classmethod
    def of(
        cls,
        catalogue: VerifyCatalogue,
        folder: ImageStore,
        bus: Bus,
        topic: str,
        is_gallery: Callable[[Path], bool],
        folders: KnownFolders | None = None,
    ) -> Self:
        """Return the context that publishes on this log."""
        return cls(catalogue, folder, partial(bus.publish, topic), bus, topic, is_gallery, folders)
