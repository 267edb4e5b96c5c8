"""Throw out what is broken, malicious, useless or double, and publish the rest.

What is thrown out goes to quarantine, with a reason; nothing is deleted.
There is no input topic: the collection is the state. People are claimed, so any number of cleaners
share the work.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial

from celebcollect.bus.base import Bus
from celebcollect.catalogue.base import Images
from celebcollect.catalogue.state import Cleaning
from celebcollect.checks import fingerprint
from celebcollect.checks.base import Check
from celebcollect.disk import owners
from celebcollect.domain.batches import batches
from celebcollect.domain.tally import Tally
from celebcollect.images.base import IMAGES, ImageStore
from celebcollect.stages.clean.context import CleanCatalogue, CleanContext
from celebcollect.stages.clean.face_index import FaceIndex
from celebcollect.stages.clean.person import Stopped, clean_person

__all__ = ["clean_people", "quarantine_orphans"]

log = logging.getLogger(__name__)

TASK = "clean"

LEASE_S = 300.0
"""How long a claim outlives its last renewal, where the death of its owner cannot be seen (another
machine)."""

MAX_CLAIM = 16
"""People claimed at once: saves transactions where there are many people, and leaves some to other
cleaners."""

LOOK_S = 2.0
"""Between two looks for new work with `follow`."""

ORPHAN_AGE_S = 3600.0
"""Age from which a file without a row counts as left behind; `store` writes the row within seconds
of the file."""


def clean_people(
    catalogue: CleanCatalogue,
    folder: ImageStore,
    bus: Bus,
    checks: Sequence[Check],
    *,
    topic: str,
    tally: Tally,
    stop: threading.Event,
    follow: bool = False,
    qids: Collection[str] | None = None,
) -> None:
    """
    Clean the people who have new pictures, or were last cleaned with other checks or settings.

    Returns when nobody is left whom no other live cleaner holds, or when `stop` is set. Counts
    pictures (`accepted`, `rejected`, `withdrawn`, `restored`, `unchanged`) and reasons.

    Args:
        catalogue: Where people and pictures are.
        folder: Where the files are.
        bus: Takes the accepted pictures.
        checks: From `checks.build_checks`, in the order in which they are asked.
        topic: Compacted, keyed `QID/sha256`; None withdraws a picture.
        tally: Takes the counts.
        stop: Ends the work at the next picture.
        follow: Go on looking for work until `stop` is set.
        qids: Only these people, and those whose pictures theirs put in doubt.

    Raises:
        CelebCollectError: The disk, the log or the catalogue failed; cleaning again goes on from
            there.
    """
    index = FaceIndex.of(catalogue, checks)
    context = CleanContext(catalogue, folder, bus, checks, topic, tally, face_index=index)
    cleaner = _Cleaner(context, fingerprint(checks), stop, None if qids is None else set(qids))
    while not stop.is_set():
        if not cleaner.work() and not stop.is_set():
            if not follow:
                return
            stop.wait(LOOK_S)


class _Cleaner:
    """Cleans one person after the other, each under a claim."""

    def __init__(
        self, context: CleanContext, fingerprint: str, stop: threading.Event, qids: set[str] | None
    ) -> None:
        self._context, self._fingerprint, self._stop, self._qids = context, fingerprint, stop, qids
        self._owner = owners.this_owner()
        self._done: dict[str, int] = {}
        """Revision up to which each person was cleaned here: two cleaners with different settings
        would else never end."""
        self._held: list[str] = []
        self._renewed = 0.0

    def work(self) -> bool:
        """Go once through everybody in need; return whether anybody was cleaned."""
        found = False
        people = [cleaning.qid for cleaning in self._need(self._qids)]
        for some in batches(people, min(MAX_CLAIM, len(people) // 8 + 1)):
            if self._stop.is_set():
                break
            if self._claim(some):
                try:
                    # Asked again, now that nobody else can clean them in between.
                    for cleaning in self._need(self._held):
                        found |= self._clean(cleaning)
                finally:
                    self._context.catalogue.release(TASK, self._held, owner=self._owner)
        return found

    def _need(self, qids: Collection[str] | None) -> list[Cleaning]:
        needed = self._context.catalogue.need_cleaning(self._fingerprint, qids=qids)
        return [
            cleaning for cleaning in needed if self._done.get(cleaning.qid, -1) < cleaning.revision
        ]

    def _claim(self, qids: Sequence[str]) -> bool:
        self._held = self._context.catalogue.claim(TASK, qids, owner=self._owner, lease_s=LEASE_S)
        self._renewed = time.monotonic()
        return bool(self._held)

    def _hold(self, qid: str) -> bool:
        if time.monotonic() > self._renewed + LEASE_S / 3:
            self._claim(self._held)
        return qid in self._held

    def _clean(self, cleaning: Cleaning) -> bool:
        if self._stop.is_set() or not self._hold(cleaning.qid):
            return False
        try:
            outcome = clean_person(
                self._context, cleaning.qid, hold=partial(self._hold, cleaning.qid), stop=self._stop
            )
        except Stopped:
            return False
        self._done[cleaning.qid] = cleaning.revision
        if self._qids is not None:
            self._qids |= outcome.others
        if outcome.unmeasured:
            # Not recorded: so the next cleaning comes by again.
            log.warning(
                "the face engine died qid=%s pictures=%d; the next clean tries again (memory?)",
                cleaning.qid,
                outcome.unmeasured,
            )
            return True
        # Last: a crash before this repeats the person.
        self._context.catalogue.record_cleaned(cleaning, self._fingerprint)
        log.debug(
            "cleaned qid=%s revision=%d doubts=%s",
            cleaning.qid,
            cleaning.revision,
            ",".join(sorted(outcome.others)),
        )
        return True


def quarantine_orphans(catalogue: Images, folder: ImageStore, tally: Tally) -> None:
    """
    Move files that no row knows out of the images.

    A crash between file and row left them, and their message never came again. Looks at every file.
    Should `store` write the row of such a file just now, the next cleaning finds the file in
    quarantine and brings it back. Counts `orphans`.
    """
    old = time.time() - ORPHAN_AGE_S
    for paths in batches((path for path in folder.files() if path.startswith(f"{IMAGES}/")), 500):
        known = {
            (image.qid, image.sha256)
            for image in catalogue.with_bytes({_identity(path)[1] for path in paths})
        }
        for path in paths:
            with suppress(FileNotFoundError, ValueError):  # moved meanwhile; behind a link
                if _identity(path) not in known and folder.modified_at(path) < old:
                    moved = folder.place(path, quarantined=True)
                    if moved != path:  # else nothing is moved, only told
                        log.warning("file without a row moved path=%s to=%s", path, moved)
                    tally.count("orphans")


def _identity(path: str) -> tuple[str, str]:
    _, qid, name = path.split("/")
    return qid, name.partition(".")[0]
