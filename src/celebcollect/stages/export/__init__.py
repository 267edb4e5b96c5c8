"""Give the accepted pictures away as a data set folder that training tools load in one line.

The catalogue is the truth that is exported: what is accepted now, with source, licence and author.
`dataclean` tells others of the same pictures, but as a stream: with withdrawals that are still to
come, and without what is only known here.

Everything in the folder is a function of the catalogue: exported twice, or after a kill -9
anywhere, it is the same bytes, and only what changed is written. Pictures come before the lists
that name them and go after them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from celebcollect.catalogue.base import Notes, SharedNotes
from celebcollect.domain.errors import UsageError
from celebcollect.domain.tally import Tally
from celebcollect.images.base import ImageStore
from celebcollect.stages import folder_notes
from celebcollect.stages.export import card, croissant, imagefolder, webdataset
from celebcollect.stages.export.card import About
from celebcollect.stages.export.index import LAYOUTS, Index, read_index
from celebcollect.stages.export.selection import (
    ExportSettings,
    ExportSummary,
    Sample,
    SelectionCatalogue,
    select,
)
from celebcollect.stages.export.stale_files import remove_stale_files
from celebcollect.stages.export.target import ExportFolder, opened
from celebcollect.stages.export.writing import Job, Written

__all__ = [
    "LAYOUTS",
    "About",
    "ExportCatalogue",
    "ExportSettings",
    "ExportSummary",
    "export_images",
    "known_exports",
    "read_index",
]

log = logging.getLogger(__name__)


class ExportCatalogue(SelectionCatalogue, SharedNotes, Protocol):
    """What an export reads, and where it notes its folder."""


def export_images(
    catalogue: ExportCatalogue,
    folder: ImageStore,
    where: Path,
    settings: ExportSettings,
    *,
    about: About,
    tally: Tally,
    stop: threading.Event,
    lost: set[str] | None = None,
) -> ExportSummary:
    """
    Make the folder `where` hold the accepted pictures, no more and no less.

    Counts `written`, `unchanged` and `removed` files (pictures, or shards), and why pictures were
    left out.

    Args:
        catalogue: What is exported.
        folder: Where the files are.
        where: The folder to write, missing, empty or a former export of the same layout.
        settings: What to export, and how.
        about: How the pictures were cleaned, for the data card.
        tally: Takes the counts.
        stop: Ends the work between two pictures.
        lost: Takes the pictures whose file is gone or changed, as `QID/sha256`.

    Raises:
        UsageError: The folder holds something else.
        Busy: Another process exports to it.
        StorageError: The disk refuses.
        Interrupted: `stop` was set; the same export goes on from there.
    """
    where = _checked(where, folder)
    with opened(where, settings.layout, crops=settings.crops) as target:
        _remember(catalogue, where, settings.layout)
        samples = select(catalogue, settings, tally)
        _announce(target, settings, samples)
        written = _write(Job(target, folder, tally, stop, lost), settings, samples)
        summary = ExportSummary.of(settings, written.samples, tally)
        target.text("classes.json", card.classes(written.samples))
        target.text("classes.txt", card.numbers(written.samples))
        target.text("README.md", card.card(summary, written, about))
        target.text("croissant.json", croissant.describe(summary, written, target.index))
        tally.count("removed", remove_stale_files(target.folder, written.files))
        target.save(
            target.index.model_copy(update={"complete": True, "fingerprint": summary.fingerprint})
        )
    log.info("exported layout=%s folder=%s images=%d", settings.layout, where, summary.images)
    return summary


def known_exports(catalogue: Notes) -> dict[Path, str]:
    """Return the folders that were ever exported to, and their layouts."""
    return {
        Path(where): str(layout)
        for where, layout in folder_notes.exports(catalogue).items()
        if layout in LAYOUTS
    }


def _checked(where: Path, folder: ImageStore) -> Path:
    """Return the folder's absolute path; refuse one that cannot be, or must not be."""
    try:
        absolute = where.resolve()
        str(absolute).encode()
        among = any(absolute.is_relative_to(kept.resolve()) for kept in folder.local_folders())
    except (OSError, RuntimeError, UnicodeEncodeError) as error:
        raise UsageError(
            f"{str(where)!a} is no usable name for a folder ({type(error).__name__})",
            hint="Name another folder.",
        ) from error
    if among:
        raise UsageError(
            f"{where} lies among the collected pictures", hint="Export to a folder of its own."
        )
    return absolute


def _write(job: Job, settings: ExportSettings, samples: Sequence[Sample]) -> Written:
    if settings.layout == "imagefolder":
        return imagefolder.write(job, samples)
    return webdataset.write(job, samples, max_bytes=settings.max_shard_bytes)


def _announce(target: ExportFolder, settings: ExportSettings, samples: Sequence[Sample]) -> None:
    """
    Write into the index what the folder is about to hold.

    Whoever looks at a half-finished export then knows what may be in it.
    """
    pictures: dict[str, list[str]] = {}
    for sample in samples:
        pictures.setdefault(sample.qid, []).append(sample.sha256)
    limit = settings.max_shard_bytes if settings.layout == "webdataset" else None
    plan = Index(
        layout=settings.layout,
        crops=settings.crops,
        max_shard_bytes=limit,
        pictures=pictures,
        shards=target.index.shards,
    )
    if (
        plan.model_copy(update={"complete": True, "fingerprint": target.index.fingerprint})
        != target.index
    ):
        target.save(plan)


def _remember(catalogue: SharedNotes, where: Path, layout: str) -> None:
    # First of all: an export that dies half-way must be found by `forget` too.
    folder_notes.add_export(catalogue, str(where), layout)
