"""Mend what was found: withdraw, move, correct the rows; nothing is deleted.

The topic comes first, then files, then rows. Each step may be repeated: what a crash leaves undone
is found by the next `verify`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from celebcollect.bus.base import Item
from celebcollect.catalogue.tasks import CLEAN
from celebcollect.checks.base import FileReason
from celebcollect.disk.owners import this_owner
from celebcollect.domain.records import Image, Status, now
from celebcollect.images.layout import parts
from celebcollect.stages.clean.placement import clean_record
from celebcollect.stages.clean.verdicts import ABOUT_FILES
from celebcollect.stages.store.again import to_fetch_again
from celebcollect.stages.verify import gone_folders
from celebcollect.stages.verify.context import MendContext, VerifyContext
from celebcollect.stages.verify.files import THROWN_OUT, StoredFile, files_of
from celebcollect.stages.verify.findings import Disagreement, Kind
from celebcollect.stages.verify.messages import Published
from celebcollect.stages.verify.recheck import (
    OF_NOTES_GONE,
    all_wrong_notes,
    has_no_row,
    is_strange,
    still_true,
)

_LEASE_S = 300.0


@dataclass
class _Changes:
    """What is to be done for one person."""

    messages: dict[str, bytes | None] = field(default_factory=dict)
    aside: list[str] = field(default_factory=list)
    place: list[tuple[str, bool]] = field(default_factory=list)
    rows: list[Image] = field(default_factory=list)
    is_short: bool = False


def mend_person(
    context: MendContext,
    qid: str,
    findings: Sequence[Disagreement],
    published: Published,
    *,
    between: Callable[[], None] = lambda: None,
) -> list[Disagreement]:
    """
    Mend what was found about one person; return what was still true, with what was done.

    Nothing is done while somebody cleans the person. `between` is called between two files, and may
    raise to end the work.
    """
    with _alone(context, qid) as hold:
        if not hold.is_ours():
            return [_being_cleaned(one) for one in findings]
        rows = context.catalogue.person_images(qid)
        files, changes = files_of(rows), _Changes()
        mended = []
        for finding in findings:
            between()
            if not hold.is_ours():
                return [_being_cleaned(one) for one in findings]
            true = still_true(context, rows, finding, published)
            if true:
                done = _plan(context, files.get(true.name), true, changes)
                mended.append(replace(true, mended=done))
        _carry_out(context, qid, changes, hold)
    return mended


def _being_cleaned(finding: Disagreement) -> Disagreement:
    return replace(finding, detail=f"{finding.detail} (being cleaned)")


class _Hold:
    """The claim on a person, renewed while large files are read: it would run out."""

    def __init__(self, context: MendContext, qid: str) -> None:
        self._catalogue, self._qid = context.catalogue, qid
        # Nobody works on people whom the catalogue does not know, and nobody can claim them.
        self._known = bool(context.catalogue.people([qid]))
        self._renewed_at, self._ours = -math.inf, True

    def is_ours(self) -> bool:
        """Tell whether nobody else works on the person; renews the claim where it is time."""
        if self._known and time.monotonic() > self._renewed_at + _LEASE_S / 10:
            self._renewed_at = time.monotonic()
            held = self._catalogue.claim(CLEAN, [self._qid], owner=this_owner(), lease_s=_LEASE_S)
            self._ours = bool(held)
        return self._ours

    def release(self) -> None:
        """Give the claim back."""
        if self._known and self._ours:
            self._catalogue.release(CLEAN, [self._qid], owner=this_owner())


@contextmanager
def _alone(context: MendContext, qid: str) -> Iterator[_Hold]:
    hold = _Hold(context, qid)
    try:
        yield hold
    finally:
        hold.release()


def _plan(
    context: MendContext, known: StoredFile | None, finding: Disagreement, changes: _Changes
) -> str:
    """Add to the changes what mends a finding, and say it."""
    if finding.kind is Kind.MESSAGE_TOO_MANY:
        changes.messages[finding.name] = None
        return "withdrawn"
    assert known is not None  # noqa: S101 - the other kinds are about rows
    if finding.kind is Kind.MESSAGE_MISSING:
        record = clean_record(known.rows[0])
        changes.messages[record.key] = record.to_json()
        return "published"
    path = context.folder.find(known.rows[0].path or "") if known.rows[0].path else None
    if finding.kind is Kind.FILE_BACK:
        changes.rows += [_waiting(row, path) for row in known.rows]
        return "waits for clean"
    if finding.kind is Kind.FILE_MISPLACED and path:
        changes.place.append((path, not known.is_kept))
        there = f"{'images' if known.is_kept else 'quarantine'}/{path.partition('/')[2]}"
        changes.rows += [row.model_copy(update={"path": there}) for row in known.rows]
        return f"moved to {there}"
    if path:
        changes.aside.append(path)
    if known.is_accepted:
        changes.messages[finding.name] = None
    comes_again = known.is_kept or known.may_come_again
    changes.is_short |= comes_again
    changes.rows += [_given_up(row, finding) for row in known.rows]
    return "store fetches it again" if comes_again else "given up"


def _waiting(row: Image, path: str | None) -> Image:
    nothing = dict.fromkeys(("reason", "detail", "duplicate_of", "rejected_by"))
    facts = {name: known for name, known in row.facts.items() if name != THROWN_OUT}
    return row.model_copy(update={**nothing, "status": Status.STORED, "path": path, "facts": facts})


def _given_up(row: Image, finding: Disagreement) -> Image:
    """
    Return the row of a lost file: fetched again where nothing but the file was wrong.

    What was thrown out before is given up in the words of `clean`.
    """
    missing = finding.kind is Kind.FILE_MISSING
    reason = FileReason.FILE_MISSING if missing else FileReason.CORRUPT_FILE
    if row.status is not Status.REJECTED or StoredFile(row.qid, (row,)).may_come_again:
        return to_fetch_again(row, reason, finding.detail, now())
    update = {"reason": reason.value, "rejected_by": next(iter(ABOUT_FILES)), "duplicate_of": None}
    said = {"detail": finding.detail or None, "facts": {**row.facts, THROWN_OUT: {}}}
    return row.model_copy(update={**update, **said})


def _carry_out(context: MendContext, qid: str, changes: _Changes, hold: _Hold) -> None:
    items: list[Item] = list(changes.messages.items())
    if items:
        context.publish(items)
    for path in changes.aside:
        hold.is_ours()
        context.folder.set_aside(path)
    for path, quarantined in changes.place:
        hold.is_ours()
        context.folder.place(path, quarantined=quarantined)
    if changes.rows:
        context.catalogue.record_verdicts(changes.rows)
        # Copies of a picture that is gone may come back, and what came back is judged.
        context.catalogue.clean_again([qid])
    if changes.is_short:
        # `run-all` goes on with the person, who has fewer pictures than it left.
        for state in context.catalogue.states([qid]).values():
            context.catalogue.record_round(qid, rounds=state.rounds, finished=False)


def mend_file(context: VerifyContext, finding: Disagreement) -> Disagreement | None:
    """Set a strange file aside; one of a person who was forgotten is removed for good."""
    if not is_strange(context, finding.name):
        return None
    try:
        qid = parts(finding.name)[1]
    except ValueError:
        qid = ""
    if qid and context.catalogue.forgotten([qid]):
        context.folder.forget(qid)
        return replace(finding, mended=f"removed: {qid} is forgotten")
    try:
        there = context.folder.set_aside(finding.name)
    except FileNotFoundError:
        return None
    # `store` may have been about to write the row, however long that took.
    if not has_no_row(context, finding.name):
        context.folder.bring_back(there, finding.name)
        return None
    return replace(finding, mended=f"moved to {there}")


def mend_notes(context: VerifyContext, findings: Sequence[Disagreement]) -> list[Disagreement]:
    """Note that of folders that are gone was told; what is broken is left to a person."""
    gone = {finding.name for finding in findings if finding.kind in OF_NOTES_GONE}
    still = {one.name for one in all_wrong_notes(context) if one.kind in OF_NOTES_GONE}
    gone_folders.set_told(context.catalogue, gone | (still & gone_folders.told(context.catalogue)))
    done = "`forget` still names it, and cleans it when it is back"
    return [replace(one, mended=done if one.name in gone else None) for one in findings]
