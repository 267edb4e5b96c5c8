"""Look once more at what was found: others may be at work, and a killed run was long ago."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from celebcollect.disk.files import disk_errors
from celebcollect.domain.errors import CelebCollectError
from celebcollect.domain.records import Image
from celebcollect.images.base import ImageStore
from celebcollect.images.layout import parts
from celebcollect.stages import folder_notes
from celebcollect.stages.export import read_index
from celebcollect.stages.verify import gone_folders
from celebcollect.stages.verify.context import MendContext, VerifyContext
from celebcollect.stages.verify.files import files_of, look_at
from celebcollect.stages.verify.findings import Disagreement, Kind
from celebcollect.stages.verify.messages import Published

YOUNG_S = 5.0
"""Age at which a file without a row is nobody's: `store` writes the row right after the file."""

OF_FILES = frozenset((Kind.FILE_MISSING, Kind.FILE_DAMAGED, Kind.FILE_MISPLACED, Kind.FILE_BACK))
OF_MESSAGES = frozenset((Kind.MESSAGE_MISSING, Kind.MESSAGE_TOO_MANY))
OF_NOTES_GONE = frozenset((Kind.EXPORT_GONE, Kind.GALLERY_GONE))
OF_NOTES = OF_NOTES_GONE | {Kind.EXPORT_BROKEN, Kind.GALLERY_BROKEN}


def still_true(
    context: MendContext, rows: Sequence[Image], finding: Disagreement, published: Published
) -> Disagreement | None:
    """Return a finding about a person's picture or message as it is now, or None."""
    known = files_of(rows).get(finding.name)
    if finding.kind in OF_FILES:
        return look_at(context.folder, known) if known else None
    if finding.kind is Kind.MESSAGE_TOO_MANY:
        told = finding.name in published.pictures | published.odd
        return finding if told and not (known and known.is_accepted) else None
    # A cleaner that was killed has noted what it was publishing: the next one does it.
    waits = context.catalogue.note(f"clean/{finding.qid}") is not None
    missing = known and known.is_accepted and not published.tells_of(finding.name)
    return finding if missing and not waits else None


def is_strange(context: VerifyContext, path: str) -> bool:
    """Tell whether a file has no row; waits until a young one is old enough to say."""
    _wait(context.folder, path)
    return has_no_row(context, path)


def has_no_row(context: VerifyContext, path: str) -> bool:
    """Tell whether a file has no row just now."""
    try:
        _, qid, name = parts(path)
    except ValueError:
        return True
    rows = context.catalogue.with_bytes([name.partition(".")[0]])
    return not any(row.qid == qid for row in rows)


def _wait(folder: ImageStore, path: str) -> None:
    try:
        age_s = time.time() - folder.modified_at(path)
    except (FileNotFoundError, ValueError):
        return
    if 0 <= age_s < YOUNG_S:
        time.sleep(YOUNG_S - age_s)


def wrong_notes(context: VerifyContext) -> list[Disagreement]:
    """
    Return the exports and galleries that are gone, or that `forget` could not clean.

    Not those that `verify --fix` has told of.
    """
    told = gone_folders.told(context.catalogue)
    return [
        finding
        for finding in all_wrong_notes(context)
        if finding.kind not in OF_NOTES_GONE or finding.name not in told
    ]


def all_wrong_notes(context: VerifyContext) -> list[Disagreement]:
    """Return the exports and galleries that are gone, or that `forget` could not clean."""
    known = context.folders or folder_notes.noted(context.catalogue)
    found = [_export(where) for where in known.exports]
    found += [_gallery(context, where) for where in known.galleries]
    return [finding for finding in found if finding]


def _export(where: str) -> Disagreement | None:
    try:
        gone = read_index(Path(where)) is None
    except CelebCollectError as error:
        return Disagreement(Kind.EXPORT_BROKEN, where, detail=error.message)
    return Disagreement(Kind.EXPORT_GONE, where) if gone else None


def _gallery(context: VerifyContext, where: str) -> Disagreement | None:
    try:
        with disk_errors("look at", Path(where)):
            gone = not context.is_gallery(Path(where))
    except CelebCollectError as error:
        return Disagreement(Kind.GALLERY_BROKEN, where, detail=error.message)
    return Disagreement(Kind.GALLERY_GONE, where) if gone else None
