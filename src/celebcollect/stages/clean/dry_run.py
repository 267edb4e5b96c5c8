"""What cleaning would change, told before it happens: nothing is written.

The cleaning is the real one, over a catalogue and a folder that keep in memory what it writes. So
whatever it says comes true, if nobody adds, restores or withdraws anything meanwhile. What was
never measured is measured for it, and again when `clean` is run.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from celebcollect.bus.base import Bus
from celebcollect.catalogue.keys import number
from celebcollect.checks.base import Check, Measuring
from celebcollect.checks.beside import is_new
from celebcollect.checks.duplicate import DuplicateReason
from celebcollect.domain.records import SAME_FACE, Image, Status
from celebcollect.domain.tally import Tally
from celebcollect.images.base import ImageStore
from celebcollect.stages.clean.context import CleanCatalogue
from celebcollect.stages.clean.overlay import CatalogueOverlay, FolderOverlay, NoTopic
from celebcollect.stages.clean.stage import clean_people, quarantine_orphans


@dataclass
class Changes:
    """What would change, of a person or of all; a picture is counted where its status changes."""

    accepted: int = 0
    """New pictures that would stay."""
    rejected: Counter[str] = field(default_factory=Counter)
    """New pictures that would go, by reason."""
    withdrawn: Counter[str] = field(default_factory=Counter)
    """Accepted ones that would go, by reason."""
    restored: Counter[str] = field(default_factory=Counter)
    """Rejected ones that would come back, by the reason that they have now."""
    other_reason: Counter[str] = field(default_factory=Counter)
    """Rejected ones that would stay so, by the reason that they would have."""
    in_doubt: int = 0
    """Pictures that would be in doubt and are not."""
    cleared: int = 0
    """Pictures that are in doubt and would not be."""
    copies: int = 0
    """Of all these, those that would be copies of another picture and are not."""

    def count(self, before: Image, after: Image) -> bool:
        """Count a picture; return whether anything changes that a person would see."""
        said, reason = (before.status, before.reason), str(after.reason)
        if said == (after.status, after.reason):
            return False
        match before.status, after.status:
            case Status.STORED, Status.ACCEPTED:
                self.accepted += 1
            case Status.STORED, Status.REJECTED:
                self.rejected[reason] += 1
            case Status.ACCEPTED, Status.REJECTED:
                self.withdrawn[reason] += 1
            case Status.REJECTED, Status.ACCEPTED:
                self.restored[str(before.reason)] += 1
            case Status.REJECTED, Status.REJECTED:
                self.other_reason[reason] += 1
        doubts = [image.reason == SAME_FACE for image in (before, after)]
        self.in_doubt += doubts == [False, True]
        self.cleared += doubts == [True, False]
        self.copies += _is_copy(after) and not _is_copy(before)
        return True

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers, for `--json`."""
        return {
            name: dict(value.most_common()) if isinstance(value, Counter) else value
            for name, value in vars(self).items()
        }

    def __str__(self) -> str:
        return ", ".join(self._parts()) or "nothing"

    def _parts(self) -> Iterator[str]:
        if self.accepted:
            yield f"{self.accepted} new accepted"
        for what, reasons in (
            ("new rejected", self.rejected),
            ("accepted -> rejected", self.withdrawn),
            ("rejected -> accepted", self.restored),
            ("rejected for another reason", self.other_reason),
        ):
            if reasons:
                why = ", ".join(f"{n} {reason}" for reason, n in reasons.most_common())
                was = "was " if reasons is self.restored else ""
                yield f"{reasons.total()} {what} ({was}{why})"
        for n, what in (
            (self.in_doubt, "in doubt"),
            (self.cleared, "no longer in doubt"),
            (self.copies, "of these now a copy of another"),
        ):
            if n:
                yield f"{n} {what}"


@dataclass(frozen=True)
class Foreseen:
    """What cleaning would do."""

    people: Mapping[str, Changes]
    """By QID, of those for whom anything changes, in the order of their numbers."""
    names: Mapping[str, str]
    """By QID."""
    pictures: Sequence[tuple[Image, Image]]
    """Rows that change, as they are and as they would be."""
    total: Changes
    looked_at: int
    """Pictures that cleaning would write about at all, be it only a note."""
    measured: int
    """Pictures that were opened and measured for this, and will be again."""
    orphans: int
    """Files without a row that would go to quarantine."""

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, for `--json`."""
        pictures: dict[str, list[dict[str, Any]]] = {qid: [] for qid in self.people}
        for before, after in self.pictures:
            pictures[after.qid].append(_told(before, after))
        return {
            "dry_run": True,
            "total": self.total.as_dict(),
            "measured": self.measured,
            "orphans": self.orphans,
            "people": [
                {"qid": qid, "name": self.names[qid], **changes.as_dict(), "pictures": some}
                for (qid, changes), some in zip(self.people.items(), pictures.values(), strict=True)
            ],
        }


def foresee(
    catalogue: CleanCatalogue,
    folder: ImageStore,
    checks: Sequence[Check],
    *,
    tally: Tally,
    stop: threading.Event,
    qids: Collection[str] | None = None,
) -> Foreseen:
    """
    Return what `clean_people` would do, and write nothing.

    Args:
        catalogue: Only read.
        folder: Only read.
        checks: As those of `clean_people`, of which `tally`, `stop` and `qids` are too.
        tally: Takes the counts that cleaning would give.
        stop: Ends the work at the next picture; what is returned then is of those before.
        qids: Only these people, and those whose pictures theirs put in doubt.

    Raises:
        CelebCollectError: As `clean_people`.
    """
    measuring = [check.name for check in checks if isinstance(check, Measuring)]

    def is_measured(before: Image, after: Image) -> bool:
        return any(
            is_new(before.facts.get(name, {}), after.facts.get(name, {})) for name in measuring
        )

    rows = CatalogueOverlay(catalogue, is_measured)
    # Both have what `clean` calls, and nothing that it does not.
    overlay, files = cast("CleanCatalogue", rows), cast("ImageStore", FolderOverlay(folder))
    log = cast("Bus", NoTopic())
    clean_people(overlay, files, log, checks, topic="", tally=tally, stop=stop, qids=qids)
    if qids is None and not stop.is_set():
        quarantine_orphans(catalogue, files, tally)
    return _foreseen(catalogue, rows, orphans=tally["orphans"])


def _foreseen(catalogue: CleanCatalogue, rows: CatalogueOverlay, *, orphans: int) -> Foreseen:
    """Count what cleaning has written over the rows as they are."""
    pairs = [(rows.before[id_], after) for id_, after in rows.rows.items()]
    pairs.sort(key=lambda pair: (number(pair[1].qid), pair[1].id))
    people: dict[str, Changes] = {}
    total, changed = Changes(), []
    for before, after in pairs:
        mine = people.setdefault(after.qid, Changes())
        if mine.count(before, after):
            total.count(before, after)
            changed.append((before, after))
    touched = {after.qid: after.name for _, after in changed}
    names = touched | {person.qid: person.name for person in catalogue.people(touched)}
    return Foreseen(
        {qid: people[qid] for qid in touched},
        names,
        changed,
        total,
        len(pairs),
        len(rows.measured),
        orphans,
    )


def _is_copy(image: Image) -> bool:
    return image.reason in {reason.value for reason in DuplicateReason}


def _told(before: Image, after: Image) -> dict[str, Any]:
    return {
        "picture": f"{after.qid}/{after.sha256}",
        "url": after.url,
        "status": [before.status.value, after.status.value],
        "reason": [before.reason, after.reason],
        "detail": after.detail,
        "held_against": after.duplicate_of,
    }
