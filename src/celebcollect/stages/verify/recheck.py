"""Look once more at what was found: others may be at work, and a killed run was long ago."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from celebcollect.domain.records import Image
from celebcollect.images.base import ImageStore
from celebcollect.images.layout import parts
from celebcollect.stages import folder_notes
from celebcollect.stages.export import read_index
from celebcollect.stages.verify.context import MendContext, VerifyContext
from celebcollect.stages.verify.files import files_of, look_at
from celebcollect.stages.verify.findings import Disagreement, Kind
from celebcollect.stages.verify.messages import Published

YOUNG_S = 5.0
"""Age at which a file without a row is nobody's: `store` writes the row right after the file."""

OF_FILES = frozenset((Kind.FILE_MISSING, Kind.FILE_DAMAGED, Kind.FILE_MISPLACED, Kind.FILE_BACK))
OF_MESSAGES = frozenset((Kind.MESSAGE_MISSING, Kind.MESSAGE_TOO_MANY))


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
    try:
        _, qid, name = parts(path)
    except ValueError:
        return True
    _wait(context.folder, path)
    rows = context.catalogue.with_bytes([name.partition(".")[0]])
    return not any(row.qid == qid for row in rows)


def _wait(folder: ImageStore, path: str) -> None:
    try:
        age_s = time.time() - folder.modified_at(path)
    except (FileNotFoundError, ValueError):
        return
    if 0 <= age_s < YOUNG_S:
        time.sleep(YOUNG_S - age_s)


def notes_of_nothing(context: VerifyContext) -> list[Disagreement]:
    """Return the notes of exports and galleries that are not there any more."""
    gone = [
        Disagreement(Kind.EXPORT_GONE, where)
        for where in folder_notes.exports(context.catalogue)
        if read_index(Path(where)) is None
    ]
    return gone + [
        Disagreement(Kind.GALLERY_GONE, where)
        for where in folder_notes.galleries(context.catalogue)
        if not context.is_gallery(Path(where))
    ]
