"""Decode stored pictures for the checks that look at what they show."""

from __future__ import annotations

from PIL import Image as Pillow
from PIL import ImageOps

from celebcollect.checks.base import Picture, read
from celebcollect.pictures.decode import NotAPicture, decoded

__all__ = ["NotAPicture", "upright"]

_GROWN = 4
"""How many times more pixels than its header says a picture may turn out to have; the first frame
of an animation may outgrow its canvas."""


def upright(picture: Picture, long_side_px: int) -> Pillow.Image:
    """
    Return the pixels as people see them: RGB, turned as EXIF says, on white where it is transparent, never enlarged.

    Args:
        picture: A stored picture.
        long_side_px: The longer side is scaled down to this; JPEGs are decoded in reduced size,
            which saves most of the time.

    Raises:
        NotAPicture: It cannot be decoded.
        StorageError: It cannot be read.
    """
    width, height = max(picture.image.width_px or 1, 1), max(picture.image.height_px or 1, 1)
    shorter_px = max(long_side_px * min(width, height) // max(width, height), 1)
    with decoded(
        read(picture), max_pixels=_GROWN * width * height, mode="RGB", side_px=shorter_px
    ) as found:
        pixels = _rgb(found.pixels)
        pixels.thumbnail((long_side_px, long_side_px), Pillow.Resampling.LANCZOS)
        return ImageOps.exif_transpose(pixels) or pixels


def _rgb(pixels: Pillow.Image) -> Pillow.Image:
    if pixels.has_transparency_data:
        coloured = pixels.convert("RGBA")
        white = Pillow.new("RGBA", coloured.size, "white")
        white.alpha_composite(coloured)
        white.info["exif"] = pixels.info.get("exif", b"")
        return white.convert("RGB")
    if pixels.mode.startswith("I") or pixels.mode == "F":
        # 16 bits a pixel: a plain conversion would cut everything above 255 to white.
        return pixels.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    return pixels.convert("RGB")
