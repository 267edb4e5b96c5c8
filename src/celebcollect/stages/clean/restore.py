"""Bring pictures back from quarantine because a person says so, against the checks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from celebcollect.catalogue.base import Images, Work
from celebcollect.checks import crashes
from celebcollect.checks.duplicate import DuplicateReason
from celebcollect.disk import owners
from celebcollect.domain.errors import Busy, StorageError, UsageError
from celebcollect.domain.records import Image, Status
from celebcollect.images.base import ImageStore
from celebcollect.stages.clean.stage import LEASE_S, TASK
from celebcollect.stages.clean.verdicts import ABOUT_FILES, DANGEROUS


class RestoreCatalogue(Images, Work, Protocol):
    """What `restore` changes: the rows of pictures, and who is to be cleaned again."""


def restore(
    catalogue: RestoreCatalogue, folder: ImageStore, wanted: Sequence[str], *, force: bool = False
) -> set[str]:
    """
    Overrule the checks for rejected pictures; return their people.

    Cleaning these people (`clean_people`) then accepts, moves and publishes the pictures. What was
    said against a picture is kept in `Image.restored_from`. A picture whose file had gone or
    changed is only looked at again, for no other check has judged it.

    Args:
        catalogue: Where the pictures are.
        folder: Where the files are.
        wanted: `QID/sha256` as on `dataclean`, or ids of rows.
        force: Bring back what carries a script, an archive or a bomb, too.

    Raises:
        UsageError: No such picture, not rejected, nothing that can be undone, or dangerous.
        Busy: Another process is cleaning one of the people right now.
    """
    images = [_find(catalogue, folder, name) for name in dict.fromkeys(wanted)]
    if not force:
        _refuse_dangerous(images)
    qids = sorted({image.qid for image in images})
    owner = owners.this_owner()
    held = catalogue.claim(TASK, qids, owner=owner, lease_s=LEASE_S)
    try:
        if len(held) < len(qids):
            taken = ", ".join(sorted(set(qids) - set(held)))
            raise Busy(
                f"{taken} is being cleaned by another process", hint="Try again when it is done."
            )
        catalogue.record_verdicts(
            [_restored(image) for image in images if image.rejected_by not in ABOUT_FILES]
        )
        catalogue.clean_again(qids)
    finally:
        catalogue.release(TASK, held, owner=owner)
    return set(qids)


def _find(catalogue: Images, folder: ImageStore, name: str) -> Image:
    qid, separator, sha256 = name.partition("/")
    found = (
        catalogue.with_bytes([sha256])
        if separator
        else list(catalogue.images_by_id([name]).values())
    )
    rows = [image for image in found if not separator or image.qid == qid]
    if not rows:
        raise UsageError(
            f"no such picture: {name}",
            hint="Name it QID/sha256; `celebcollect images --status rejected --json` tells both.",
        )
    rejected = [
        image
        for image in rows
        if image.status is Status.REJECTED and image.reason != DuplicateReason.EXACT_DUPLICATE
    ]
    if len(rejected) < 1 or any(image.status is Status.ACCEPTED for image in rows):
        raise UsageError(
            f"{name} is not rejected, or it is the exact copy of a picture that decides for both",
            hint="Restore that one.",
        )
    image = rejected[0]
    if image.rejected_by in ABOUT_FILES and not _is_whole(folder, image):
        raise UsageError(
            f"{name} cannot be restored: {image.reason}",
            hint="Put the file back, then restore it again.",
        )
    return image


def _refuse_dangerous(images: Sequence[Image]) -> None:
    dangerous = [image for image in images if image.rejected_by in DANGEROUS]
    if dangerous:
        first, more = dangerous[0], len(dangerous) - 1
        others = f" (and {more} more like it)" if more else ""
        raise UsageError(
            f"{first.qid}/{first.sha256} was thrown out as {_history(first)}{others}; nothing was"
            " restored",
            hint="Whoever opens it may come to harm. --force brings it back all the same.",
        )


def _is_whole(folder: ImageStore, image: Image) -> bool:
    """Tell whether the file holds the bytes that were stored."""
    try:
        path = image.path or ""
        data = folder.read(folder.find(path) or path)
    except (OSError, StorageError, ValueError):
        return False
    return hashlib.sha256(data).hexdigest() == image.sha256


def _restored(image: Image) -> Image:
    """Return the row with what was said against it, to be measured again where the engine died."""
    return image.model_copy(
        update={"restored_from": _history(image), "facts": crashes.forgotten(image.facts)}
    )


def _history(image: Image) -> str:
    return ": ".join(part for part in (image.reason, image.detail) if part)
