"""What cleaning a person needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from celebcollect.bus.base import Bus
from celebcollect.catalogue.base import FaceRecords, Images, Notes, People, Work
from celebcollect.checks.base import Check
from celebcollect.domain.tally import Tally
from celebcollect.images.base import ImageStore
from celebcollect.stages.clean.face_index import FaceIndex


class CleanCatalogue(People, Work, Images, FaceRecords, Notes, Protocol):
    """What `clean` needs of the catalogue."""


@dataclass(frozen=True, slots=True)
class CleanContext:
    """What cleaning a person needs."""

    catalogue: CleanCatalogue
    folder: ImageStore
    bus: Bus
    checks: Sequence[Check]
    topic: str
    tally: Tally
    face_index: FaceIndex | None = None
    """Knows everybody's faces, where faces are looked at."""
