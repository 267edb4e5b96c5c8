"""What cleaning a person needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from celebcollect.bus.base import Bus
from celebcollect.catalogue.base import Catalogue
from celebcollect.checks.base import Check
from celebcollect.domain.tally import Tally
from celebcollect.images.folder import ImageFolder
from celebcollect.stages.clean.face_index import FaceIndex


@dataclass(frozen=True, slots=True)
class CleanContext:
    """What cleaning a person needs."""

    catalogue: Catalogue
    folder: ImageFolder
    bus: Bus
    checks: Sequence[Check]
    topic: str
    tally: Tally
    dry_run: bool = False
    """Decide and count, but change nothing."""
    face_index: FaceIndex | None = None
    """Knows everybody's faces, where faces are looked at."""
