"""Find the copies among one person's pictures; the best copy stays.

Exact copies have the same SHA-256. Near copies (recompressed, resized) have perceptual hashes that
differ in few bits. Those that are cropped, mirrored or have a bar are found by the face
(`face_copies`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from celebcollect.checks.base import Check, CheckSettings, CheckSpec, Picture, Rejection
from celebcollect.checks.hashes import comparable, distances, hashes_of
from celebcollect.domain.reasons import Reason
from celebcollect.domain.records import Image
from celebcollect.pictures.hash import PHASH_VERSION

VERSION = 1


class DuplicateReason(Reason):
    """Which kind of copy a picture is."""

    EXACT_DUPLICATE = (
        "exact_duplicate",
        "clean",
        "The same bytes under another URL of the same person.",
    )
    NEAR_DUPLICATE = (
        "near_duplicate",
        "clean",
        "A copy of a picture of the same person: resized, recompressed, or by its face also"
        " cropped, mirrored or with a bar; the largest is kept.",
        "A smaller `[clean] near_duplicate_bits` keeps pictures that differ more; `clean --restore`"
        " brings one back for good.",
    )


def build(settings: CheckSettings) -> Check:
    """Return the check for `[clean] near_duplicate_bits`."""
    return Duplicate(settings.clean.near_duplicate_bits)


class Duplicate:
    """Reject `exact_duplicate` and `near_duplicate`, naming the picture that is kept."""

    name = "duplicate"

    def __init__(self, near_bits: int) -> None:
        self._near_bits = near_bits

    def fingerprint(self) -> str:
        """Return version, that of the hashes, and limit."""
        return f"{VERSION} hash={PHASH_VERSION} near_bits={self._near_bits}"

    def reject(self, pictures: Sequence[Picture]) -> Iterator[Rejection]:
        """
        Yield the copies, best picture first.

        A near copy is one of a picture that is itself kept: copies do not chain, so a series of
        slightly different shots is not eaten up from one end to the other.
        """
        images = [picture.image for picture in sorted(pictures, key=best_first)]
        unique: list[Image] = []
        seen: dict[str | None, Image] = {}
        for image in images:
            kept = seen.setdefault(image.sha256, image)
            if kept is image:
                unique.append(image)
            else:
                yield Rejection(
                    image.id,
                    DuplicateReason.EXACT_DUPLICATE,
                    detail="same bytes",
                    duplicate_of=kept.id,
                    is_copy=True,
                )
        for group in comparable(unique):
            yield from self._near(group)

    def _near(self, images: Sequence[Image]) -> Iterator[Rejection]:
        hashes = hashes_of(images)
        kept = np.zeros(len(images), dtype=bool)
        for index, image in enumerate(images):
            before = np.flatnonzero(kept[:index])
            differ = distances(hashes[before], hashes[index])
            if len(before) and differ.min() <= self._near_bits:
                nearest = int(differ.argmin())
                detail = f"{differ[nearest]} of 64 bits differ"
                yield Rejection(
                    image.id,
                    DuplicateReason.NEAR_DUPLICATE,
                    detail=detail,
                    duplicate_of=images[before[nearest]].id,
                    is_copy=True,
                )
            else:
                kept[index] = True


def best_first(picture: Picture) -> tuple[int, int, int, str, str]:
    """
    Return the sort key of the copy to keep: most pixels, most bytes, best documented source.

    Then the URL decides, so that no order of arrival matters.
    """
    image = picture.image
    pixels = (image.width_px or 0) * (image.height_px or 0)
    return (
        -pixels,
        -(image.bytes or 0),
        -picture.documented,
        image.url,
        image.id,
    )


SPEC = CheckSpec(name="duplicate", order=50, build=build, reasons=(DuplicateReason,))
