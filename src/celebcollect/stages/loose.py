"""Pictures that the catalogue does not know, for the functions that look at those it knows."""

from __future__ import annotations

from pathlib import Path

from celebcollect.checks.base import Picture
from celebcollect.domain.records import Image, Status


def loose_picture(file: Path, *, id_: str, width_px: int, height_px: int) -> Picture:
    """Describe a file by what is needed to look at it: nobody says whom it shows or where it is from."""
    nobody = Image(
        id=id_,
        qid="Q1",
        name="nobody",
        status=Status.STORED,
        source="file",
        url="",
        width_px=width_px,
        height_px=height_px,
    )
    return Picture(nobody, file)
