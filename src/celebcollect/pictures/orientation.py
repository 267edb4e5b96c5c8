"""Show a picture as people see it: turned as EXIF says, in colour, on white."""

from __future__ import annotations

from PIL import Image, ImageOps

from celebcollect.pictures.decode import decoded
from celebcollect.pictures.file import PictureFile

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
    with decoded(
        picture.read(), max_pixels=_GROWN * width * height, mode="RGB", side_px=shorter_px
    ) as found:
        pixels = _rgb(found.pixels)
        pixels.thumbnail((long_side_px, long_side_px), Image.Resampling.LANCZOS)
        return ImageOps.exif_transpose(pixels) or pixels


def _rgb(pixels: Image.Image) -> Image.Image:
    if pixels.has_transparency_data:
        coloured = pixels.convert("RGBA")
        white = Image.new("RGBA", coloured.size, "white")
        white.alpha_composite(coloured)
        white.info["exif"] = pixels.info.get("exif", b"")
        return white.convert("RGB")
    if pixels.mode.startswith("I") or pixels.mode == "F":
        # 16 bits a pixel: a plain conversion would cut everything above 255 to white.
        return pixels.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    return pixels.convert("RGB")
