"""Show a picture as people see it: turned as EXIF says, in colour, on white."""

from __future__ import annotations

from PIL import Image

from celebcollect.pictures.decode import decoded
from celebcollect.pictures.file import PictureFile
from celebcollect.pictures.flat import flat, turned
from celebcollect.pictures.pixels import pillow_errors

_GROWN = 4
"""How many times more pixels than its header says a picture may turn out to have; the first frame
of an animation may outgrow its canvas."""


def upright(picture: PictureFile, long_side_px: int) -> Image.Image:
    """
    Return the pixels as RGB: turned as EXIF says, on white where transparent, never enlarged.

    Args:
        picture: Decoded within four times the pixels that it is said to have.
        long_side_px: The longer side is scaled down to this; JPEGs are decoded in reduced size,
            which saves most of the time.

    Raises:
        NotAPicture: It cannot be decoded.
        StorageError: It cannot be read.
    """
    width, height = max(picture.width_px, 1), max(picture.height_px, 1)
    shorter_px = max(long_side_px * min(width, height) // max(width, height), 1)
    with (
        decoded(
            picture.read(), max_pixels=_GROWN * width * height, mode="RGB", side_px=shorter_px
        ) as found,
        pillow_errors(found.format),
    ):
        pixels = flat(found.pixels, "RGB")
        if pixels is found.pixels:
            pixels = pixels.copy()
        pixels.thumbnail((long_side_px, long_side_px), Image.Resampling.LANCZOS)
        pixels.info.clear()  # nothing of the file but its pixels goes on from here
        return turned(pixels, found.orientation)
