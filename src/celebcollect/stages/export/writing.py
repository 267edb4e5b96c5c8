"""What the layouts share: the job at hand, and what came out of it."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from celebcollect.checks.base import FileReason
from celebcollect.domain.errors import Interrupted
from celebcollect.domain.reasons import Reason
from celebcollect.domain.tally import Tally
from celebcollect.images.base import ImageStore
from celebcollect.pictures.formats import NotAPicture
from celebcollect.stages.export.crops import cut
from celebcollect.stages.export.gps import without_place
from celebcollect.stages.export.selection import Sample
from celebcollect.stages.export.target import ExportFolder
from celebcollect.stages.reasons import ExportReason

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One export under way."""

    target: ExportFolder
    folder: ImageStore
    tally: Tally
    stop: threading.Event
    lost: set[str] | None = None
    """Takes the pictures whose file is gone or changed, as `QID/sha256`."""

    def read(self, sample: Sample) -> bytes | None:
        """
        Return the bytes to export: the picture without its place, or the face cut out of it.

        The digest proves that the file is still the one that was accepted.

        None, counted as `file_missing`, `file_changed` or `corrupt_file`, when there are none;
        `clean` may have moved the file meanwhile.

        Raises:
            Interrupted: The work is to stop.
            StorageError: The disk refuses.
        """
        if self.stop.is_set():
            raise Interrupted(
                "interrupted",
                hint="What was exported is kept; the same command goes on from there.",
            )
        reason: Reason = ExportReason.FILE_CHANGED
        try:
            data = self.folder.read(sample.path)
            if hashlib.sha256(data).hexdigest() == sample.sha256:
                if not sample.face:
                    return without_place(data)
                with self.folder.local(sample.path) as file:
                    return cut(sample.picture(file), sample.face)
        except (FileNotFoundError, ValueError):
            reason = FileReason.FILE_MISSING
        except NotAPicture:
            reason = FileReason.CORRUPT_FILE
        if self.lost is not None and reason is not FileReason.CORRUPT_FILE:
            self.lost.add(sample.key)
        log.warning("picture left out reason=%s path=%s", reason, sample.path)
        self.tally.drop(reason)
        return None


@dataclass(frozen=True, slots=True)
class Written:
    """What an export has written."""

    samples: Sequence[Sample]
    """The pictures that are in it."""
    files: set[str]
    """Pictures, lists and shards, relative to the folder; all others of former exports go away."""
    lists: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each list of metadata, by path."""


def json_lines(rows: Iterable[dict[str, Any]]) -> bytes:
    """Return one JSON object a line."""
    return b"".join(to_json(row) + b"\n" for row in rows)


def to_json(value: object, *, indent: int | None = None) -> bytes:
    """Return JSON in UTF-8; a lone surrogate is escaped, which is what JSON has for it."""
    return json.dumps(value, ensure_ascii=False, indent=indent).encode("utf-8", "backslashreplace")
