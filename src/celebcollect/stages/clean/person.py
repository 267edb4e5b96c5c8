"""Clean one person: decide about the whole set, then bring topic, files and catalogue in line.

Everything is worked out from the catalogue and the files each time, so a process may die anywhere.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from celebcollect.checks.base import Rejection
from celebcollect.domain.records import Image, Status
from celebcollect.domain.tally import Tally
from celebcollect.stages.clean.acquaintance import Acquaintance
from celebcollect.stages.clean.context import CleanContext
from celebcollect.stages.clean.credit import credited
from celebcollect.stages.clean.pictures import gather
from celebcollect.stages.clean.placement import put_in_place
from celebcollect.stages.clean.rehash import rehashed
from celebcollect.stages.clean.verdicts import Verdicts, judge

log = logging.getLogger(__name__)

SET = frozenset((Status.STORED, Status.ACCEPTED, Status.REJECTED))
"""Rows that `clean` decides about; the others have no file."""

KEEP_EVERY_S = 10.0
"""How often measurements are written down while they go on: what a crash may cost."""


class Stopped(Exception):
    """The work was told to stop, or the claim on the person is lost; what was measured is kept."""


@dataclass(frozen=True, slots=True)
class PersonOutcome:
    """What follows from cleaning a person."""

    others: frozenset[str] = frozenset()
    """People who must be looked at again because of this one."""
    unmeasured: int = 0
    """Pictures that the next cleaning must try again."""


def clean_person(
    context: CleanContext, qid: str, *, hold: Callable[[], bool], stop: threading.Event
) -> PersonOutcome:
    """
    Bring one person's pictures to where the checks want them.

    Publish first, then quarantine, then the catalogue: a picture in the catalogue's `accepted` is
    always on the topic.

    Args:
        context: Where to read and write.
        qid: The person, claimed by the caller.
        hold: Renews the claim; False when another worker has it now.
        stop: Ends the work at the next picture.

    Raises:
        Stopped: See there.
    """
    with ExitStack() as held:
        return _clean(context, qid, hold, stop, held)


def _clean(
    context: CleanContext,
    qid: str,
    hold: Callable[[], bool],
    stop: threading.Event,
    held: ExitStack,
) -> PersonOutcome:
    before = {
        image.id: image for image in context.catalogue.person_images(qid) if image.status in SET
    }
    keeper = _Keeper(context, before, hold, stop)
    rows = rehashed(before, context.folder, measured=keeper.look)
    gathered = gather(context.catalogue, context.folder, context.checks, qid, rows, held)
    pictures, lost, known = gathered.pictures, gathered.lost, gathered.known
    verdicts = judge(pictures, context.checks, measured=keeper.look)
    if not hold():
        raise Stopped
    verdicts, alike = (
        context.face_index.hold_against(qid, verdicts, known)
        if context.face_index
        else (verdicts, set())
    )
    after = _outcome(before, verdicts, lost, known)
    _count(
        context.tally,
        before,
        after,
        {**lost, **{said.id: said for _, said in verdicts.rejections.values()}},
    )
    others = (alike | known.unaware()) - {qid}
    # Before the rows say that the others were told; what others depend on is there already.
    context.catalogue.clean_again(others)
    put_in_place(context, qid, before, after)
    unmeasured = sum(said.again for _, said in verdicts.rejections.values())
    return PersonOutcome(frozenset(others), unmeasured)


class _Keeper:
    """Writes measurements down while they go on, keeps the claim alive and notices when to stop."""

    def __init__(
        self,
        context: CleanContext,
        before: Mapping[str, Image],
        hold: Callable[[], bool],
        stop: threading.Event,
    ) -> None:
        self._context, self._kept, self._hold, self._stop = context, dict(before), hold, stop
        self._last = time.monotonic()

    def look(self, images: Mapping[str, Image]) -> None:
        """Write what is new, every few seconds and before stopping."""
        if not self._stop.is_set() and time.monotonic() < self._last + KEEP_EVERY_S:
            return
        held = self._hold()
        if held:
            self._context.catalogue.record_verdicts(
                [image for id_, image in images.items() if image != self._kept[id_]]
            )
        if self._stop.is_set() or not held:
            raise Stopped
        self._kept.update(images)
        self._last = time.monotonic()


def _outcome(
    before: Mapping[str, Image],
    verdicts: Verdicts,
    lost: Mapping[str, Rejection],
    known: Acquaintance,
) -> dict[str, Image]:
    """Return the rows as they are to be, files aside."""
    after = {}
    for id_, old in before.items():
        check, rejection = verdicts.rejections.get(id_) or ("readable", lost.get(id_))
        doubt = None if rejection else verdicts.doubts.get(id_)
        said = rejection or doubt
        verdict = {
            "status": Status.REJECTED if rejection else Status.ACCEPTED,
            "reason": said.reason.value if said else None,
            "detail": said.detail if said else None,
            "duplicate_of": said.duplicate_of if said else None,
            "rejected_by": check if rejection else None,
            "identity": None if rejection else verdicts.identities.get(id_),
        }
        after[id_] = known.noted(verdicts.images.get(id_, old).model_copy(update=verdict))
    return credited(after, verdicts)


def _count(
    tally: Tally,
    before: Mapping[str, Image],
    after: Mapping[str, Image],
    rejections: Mapping[str, Rejection],
) -> None:
    """Count the verdicts: `restored` was rejected before, `withdrawn` was accepted."""
    for id_, image in after.items():
        old = before[id_]
        if old.status is image.status:
            tally.count("unchanged")
            continue
        was_stored = old.status is Status.STORED
        if image.status is Status.ACCEPTED:
            tally.count("accepted" if was_stored else "restored")
        else:
            tally.count("rejected" if was_stored else "withdrawn")
            tally.drop(rejections[id_].reason)
            log.debug("rejected id=%s reason=%s detail=%s", id_, image.reason, image.detail)
