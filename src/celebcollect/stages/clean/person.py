"""Clean one person: decide about the whole set, then bring topic, files and catalogue in line.

Everything is worked out from the catalogue and the files each time, and every step may be repeated,
so a process may die anywhere. The one thing that cannot be seen afterwards is whether a message
went out: what is about to be published is noted before, and whoever finds such a note publishes the
outcome of those pictures once more.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from celebcollect.bus.base import Bus, Item
from celebcollect.catalogue.base import Catalogue
from celebcollect.checks import shared
from celebcollect.checks.base import Check, Rejection
from celebcollect.checks.face_facts import published
from celebcollect.domain.errors import StorageError
from celebcollect.domain.records import CleanRecord, Image, Status, now
from celebcollect.domain.tally import Tally
from celebcollect.images.folder import ImageFolder
from celebcollect.stages.clean.face_index import FaceIndex
from celebcollect.stages.clean.pictures import gather
from celebcollect.stages.clean.verdicts import Verdicts, judge

log = logging.getLogger(__name__)

SET = frozenset((Status.STORED, Status.ACCEPTED, Status.REJECTED))
"""Rows that `clean` decides about; the others have no file."""

KEEP_EVERY_S = 10.0
"""How often measurements are written down while they go on: what a crash may cost."""


class Stopped(Exception):
    """The work was told to stop, or the claim on the person is lost; what was measured is kept."""


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
    before = {
        image.id: image for image in context.catalogue.person_images(qid) if image.status in SET
    }
    pictures, lost = gather(context.catalogue, context.folder, context.checks, qid, before)
    keeper = _Keeper(context, before, hold, stop)
    verdicts = judge(pictures, context.checks, measured=keeper.look)
    if not hold():
        raise Stopped
    verdicts, alike = (
        context.face_index.hold_against(qid, pictures, verdicts, dry_run=context.dry_run)
        if context.face_index
        else (verdicts, set())
    )
    after = _outcome(before, verdicts, lost)
    _count(
        context.tally,
        before,
        after,
        {**lost, **{said.id: said for _, said in verdicts.rejections.values()}},
    )
    if context.dry_run:
        return PersonOutcome()
    _put_in_place(context, qid, before, after)
    names = [check.name for check in context.checks]
    settled = names[: names.index(shared.NAME)] if shared.NAME in names else names
    others = alike.union(*(shared.unaware(picture, settled) for picture in pictures))
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
        if held and not self._context.dry_run:
            self._context.catalogue.record_verdicts(
                [image for id_, image in images.items() if image != self._kept[id_]]
            )
        if self._stop.is_set() or not held:
            raise Stopped
        self._kept.update(images)
        self._last = time.monotonic()


def _outcome(
    before: Mapping[str, Image], verdicts: Verdicts, lost: Mapping[str, Rejection]
) -> dict[str, Image]:
    """Return the rows as they are to be, files aside."""
    after = {}
    for id_, old in before.items():
        check, rejection = verdicts.rejections.get(id_) or ("readable", lost.get(id_))
        verdict = {
            "status": Status.REJECTED if rejection else Status.ACCEPTED,
            "reason": rejection.reason.value if rejection else None,
            "detail": rejection.detail if rejection else None,
            "duplicate_of": rejection.duplicate_of if rejection else None,
            "rejected_by": check if rejection else None,
            "identity": None if rejection else verdicts.identities.get(id_),
        }
        after[id_] = verdicts.images.get(id_, old).model_copy(update=verdict)
    return after


def _put_in_place(
    context: CleanContext, qid: str, before: Mapping[str, Image], after: dict[str, Image]
) -> None:
    """Make topic, files and catalogue agree with `after`, which learns the paths."""
    accepted = {image.sha256 for image in after.values() if image.status is Status.ACCEPTED}
    _move(context.folder, after, lambda image: image.sha256 in accepted, quarantined=False)
    note_key = f"clean/{qid}"
    noted = context.catalogue.note(note_key) or {}
    messages = _messages(qid, before, after, unsure=noted.get("unsure", ()))
    if messages:
        noted = {"unsure": sorted(messages)}
        context.catalogue.set_note(note_key, noted)
        context.bus.publish(context.topic, list(messages.values()))
    _move(context.folder, after, lambda image: image.sha256 not in accepted, quarantined=True)
    at = now()
    context.catalogue.record_verdicts(
        [
            image.model_copy(update={"cleaned_at": at})
            for id_, image in after.items()
            if image != before[id_]
        ]
    )
    if noted:
        context.catalogue.set_note(note_key, None)


def _move(
    folder: ImageFolder,
    images: dict[str, Image],
    which: Callable[[Image], bool],
    *,
    quarantined: bool,
) -> None:
    for id_, image in images.items():
        if which(image):
            try:
                images[id_] = image.model_copy(
                    update={"path": folder.place(image.path or "", quarantined=quarantined)}
                )
            except (FileNotFoundError, ValueError) as error:
                if not quarantined:
                    raise StorageError(
                        f"{image.path} went away while it was cleaned", hint="Run clean again."
                    ) from error


def _messages(
    qid: str, before: Mapping[str, Image], after: Mapping[str, Image], *, unsure: Collection[str]
) -> dict[str, Item]:
    """
    Return the messages that bring the topic up to date, by SHA-256.

    They are those of pictures that changed, and of those of which the topic's state is unsure.
    """
    old, new = _records(before.values()), _records(after.values())
    changed = [sha256 for sha256 in {*old, *new} if old.get(sha256) != new.get(sha256)]
    return {sha256: (f"{qid}/{sha256}", new.get(sha256)) for sha256 in sorted({*changed, *unsure})}


def _records(images: Iterable[Image]) -> dict[str, bytes]:
    records = (
        CleanRecord.model_validate(
            image.model_dump(exclude={"facts"}) | {"ml_use": image.ml_use} | published(image)
        )
        for image in images
        if image.status is Status.ACCEPTED
    )
    return {record.sha256: record.to_json() for record in records}


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
