"""What `verify` looks at and mends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from celebcollect.bus.base import Bus
from celebcollect.catalogue.base import Forgetting, Images, Notes, People, Work
from celebcollect.images.base import ImageStore


class VerifyCatalogue(People, Work, Images, Forgetting, Notes, Protocol):
    """What `verify` needs of the catalogue."""


@dataclass(frozen=True)
class VerifyContext:
    """What `verify` looks at and mends."""

    catalogue: VerifyCatalogue
    bus: Bus
    folder: ImageStore
    clean_topic: str
    is_gallery: Callable[[Path], bool]
    """Tells whether a folder holds a page of ours."""
