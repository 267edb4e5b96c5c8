"""Find pictures that show too little: blurred, blank, cut to a strip, or without colour.

The thresholds are settings; where their figures come from stands beside them in the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from celebcollect.checks.base import (
    Check,
    CheckSettings,
    CheckSpec,
    Facts,
    FileReason,
    Picture,
    Rejection,
    missing,
    number,
)
from celebcollect.checks.unforeseen import Unforeseen, about_one_picture
from celebcollect.config.sections import CleanConfig
from celebcollect.domain.reasons import Reason
from celebcollect.pictures.formats import NotAPicture
from celebcollect.pictures.orientation import upright

VERSION = 1

LONG_SIDE_PX = 512
"""Pictures are measured at one size: blur is a matter of pixels."""

_TILES = 8
_COLOUR_SIDE_PX = 64

MAX_GREY_COLOUR = 2.0
"""Mean difference of a pixel's strongest and weakest colour, grey levels, up to which a picture has
no colour; JPEG's rounding makes less than 1."""


class QualityReason(Reason):
    """Why a picture shows too little."""

    EXTREME_ASPECT = (
        "extreme_aspect",
        "clean",
        "The long side is more than `[clean] max_aspect_ratio` times the short one.",
        "Raise `[clean] max_aspect_ratio` and run `clean` again.",
    )
    BLANK = (
        "blank",
        "clean",
        "Hardly any contrast: one colour, or nearly.",
        "Lower `[clean] min_contrast` and run `clean` again.",
    )
    BLURRED = (
        "blurred",
        "clean",
        "Blurred all over.",
        "Lower `[clean] min_sharpness` and run `clean` again.",
    )
    GREYSCALE = (
        "greyscale",
        "clean",
        "No colours, and `[clean] greyscale` asks for some.",
        "Set `[clean] greyscale = true` and run `clean` again.",
    )


def build(settings: CheckSettings) -> Check:
    """Return the check for the quality settings of `[clean]`."""
    return Quality(settings.clean)


class Quality:
    """
    Reject what shows too little, for a reason of `QualityReason`.

    Also `corrupt_file`, where decoding fails although `store` could decode.
    """

    name = "quality"

    def __init__(self, clean: CleanConfig) -> None:
        self._clean = clean

    def fingerprint(self) -> str:
        """Return version and limits."""
        clean = self._clean
        return (
            f"{VERSION} aspect={clean.max_aspect_ratio} sharpness={clean.min_sharpness}"
            f" contrast={clean.min_contrast} grey={clean.greyscale}"
        )

    def measure(self, pictures: Sequence[Picture]) -> Iterator[tuple[str, Facts]]:
        """Yield sharpness, contrast and colour of what was not looked at yet."""
        for picture in missing(self.name, VERSION, pictures):
            try:
                with about_one_picture(self.name, picture.image.id):
                    facts = look(upright(picture.stored, LONG_SIDE_PX))
            except (NotAPicture, Unforeseen) as error:
                facts = {"broken": str(error)}
            yield picture.image.id, {"version": VERSION} | facts

    def reject(self, pictures: Sequence[Picture]) -> Iterator[Rejection]:
        """Yield the pictures beyond a limit, naming the first one."""
        for picture in pictures:
            found = self._fault(picture)
            if found:
                yield Rejection(picture.image.id, *found)

    def _fault(self, picture: Picture) -> tuple[Reason, str] | None:
        facts, clean = picture.facts(self.name), self._clean
        width, height = picture.image.width_px or 1, picture.image.height_px or 1
        if "broken" in facts:
            return FileReason.CORRUPT_FILE, str(facts["broken"])
        if max(width, height) > clean.max_aspect_ratio * min(width, height):
            return QualityReason.EXTREME_ASPECT, f"{width}x{height} px"
        if number(facts, "contrast") < clean.min_contrast:
            return QualityReason.BLANK, f"contrast {facts['contrast']}"
        if number(facts, "sharpness") < clean.min_sharpness:
            return QualityReason.BLURRED, f"sharpness {facts['sharpness']}"
        if not clean.greyscale and number(facts, "colour") <= MAX_GREY_COLOUR:
            return QualityReason.GREYSCALE, f"colour {facts['colour']}"
        return None


def look(pixels: Pillow.Image) -> Facts:
    """Measure RGB pixels of at most `LONG_SIDE_PX`."""
    grey = np.asarray(pixels.convert("L"), dtype=np.float32)
    darkest, brightest = np.percentile(grey, (2, 98))
    small = np.asarray(
        pixels.resize((_COLOUR_SIDE_PX, _COLOUR_SIDE_PX), Pillow.Resampling.BOX), dtype=np.float32
    )
    return {
        "sharpness": round(_sharpness(grey), 2),
        "contrast": round(float(brightest - darkest), 1),
        "colour": round(float(np.ptp(small, axis=2).mean()), 2),
    }


def _sharpness(grey: npt.NDArray[np.float32]) -> float:
    """
    Return the deviation of the Laplacian that nine tenths of the 8x8 tiles do not exceed.

    It is not taken over the whole picture: a sharp face before a soft background is a good
    portrait.
    """
    laplacian = (
        grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    )
    tiles = [
        tile
        for row in np.array_split(laplacian, _TILES)
        for tile in np.array_split(row, _TILES, axis=1)
    ]
    deviations = sorted(float(tile.std()) for tile in tiles if tile.size)
    return deviations[len(deviations) * 9 // 10] if deviations else 0.0


SPEC = CheckSpec(name="quality", order=35, build=build, reasons=(QualityReason, FileReason))
