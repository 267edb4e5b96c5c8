"""Find pictures that are too small to be of use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from celebcollect.checks.base import Check, CheckSettings, CheckSpec, Picture, Rejection
from celebcollect.domain.reasons import Reason

VERSION = 1


class SizeReason(Reason):
    """Why a picture is of no use by its size."""

    TOO_SMALL = (
        "too_small",
        "clean",
        "The shorter side is below `[store] min_side_px`.",
        "Lower `[store] min_side_px` and run `clean` again: no new download is needed.",
    )


def build(settings: CheckSettings) -> Check:
    """Return the check for `[store] min_side_px`."""
    return Size(settings.store.min_side_px)


class Size:
    """
    Reject `too_small`.

    `store` keeps small pictures too, so that a lowered limit brings them back without a download.
    """

    name = "size"

    def __init__(self, min_side_px: int) -> None:
        self._min_side_px = min_side_px

    def fingerprint(self) -> str:
        """Return version and limit."""
        return f"{VERSION} min_side_px={self._min_side_px}"

    def reject(self, pictures: Sequence[Picture]) -> Iterator[Rejection]:
        """Yield the pictures whose shorter side is below the limit."""
        for picture in pictures:
            width_px, height_px = picture.image.width_px or 0, picture.image.height_px or 0
            if min(width_px, height_px) < self._min_side_px:
                yield Rejection(
                    picture.image.id, SizeReason.TOO_SMALL, detail=f"{width_px}x{height_px} px"
                )


SPEC = CheckSpec(name="size", order=20, build=build, reasons=(SizeReason,))
