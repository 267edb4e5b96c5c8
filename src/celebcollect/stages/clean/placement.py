"""Make topic, files and catalogue agree with the verdicts about one person's pictures.

Every step may be repeated, so a process may die anywhere. The one thing that cannot be seen
afterwards is whether a message went out: what is about to be published is noted before, and whoever
finds such a note publishes the outcome of those pictures once more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from celebcollect.bus.base import Item
from celebcollect.checks.face_facts import published
from celebcollect.domain.clean_record import CleanRecord
from celebcollect.domain.errors import StorageError
from celebcollect.domain.records import Image, Status, now
from celebcollect.images.base import ImageStore
from celebcollect.sources.terms import ml_use
from celebcollect.stages.clean.context import CleanContext


def put_in_place(
    context: CleanContext, qid: str, before: Mapping[str, Image], after: dict[str, Image]
) -> None:
    """
    Make topic, files and catalogue agree with `after`, which learns the paths.

    Publish first, then quarantine, then the catalogue.
    """
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
    folder: ImageStore,
    images: dict[str, Image],
    which: Callable[[Image], bool],
    *,
    quarantined: bool,
) -> None:
    for id_, image in images.items():
        if which(image):
            try:
                path = folder.place(image.path or "", quarantined=quarantined)
                images[id_] = image.model_copy(update={"path": path})
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


def clean_record(image: Image) -> CleanRecord:
    """Return the message about an accepted picture."""
    return CleanRecord.model_validate(
        image.model_dump(exclude={"facts"})
        | {"ml_use": ml_use(image.source, image.url)}
        | published(image)
    )


def _records(images: Iterable[Image]) -> dict[str, bytes]:
    records = (clean_record(image) for image in images if image.status is Status.ACCEPTED)
    return {record.sha256: record.to_json() for record in records}
