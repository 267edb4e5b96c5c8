"""Make pixels as people see them of what a decoder returns.

Opaque, eight bits a colour, white where they are transparent; turned.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image

_BAND_PIXELS = 1_000_000
"""Pixels that are worked on at once, so that copies on the way take little memory."""


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How pixels are brought upright, by the orientation that EXIF tells (CIPA DC-008, 4.6.5)."""


def turned(pixels: Image.Image, orientation: int) -> Image.Image:
    """Return the pixels upright, the very same where they are."""
    turn = _TURNS.get(orientation)
    return pixels if turn is None else pixels.transpose(turn)


def flat(pixels: Image.Image, mode: Literal["L", "RGB"]) -> Image.Image:
    """Return the pixels in grey or in colour, the very same where nothing is to be done."""
    sixteen_bits = pixels.mode.startswith("I")
    if not sixteen_bits and not pixels.has_transparency_data:
        return pixels if pixels.mode == mode else pixels.convert(mode)
    rows = max(_BAND_PIXELS // pixels.width, 1)
    if rows >= pixels.height:
        return _flat(pixels, mode)
    whole = Image.new(mode, pixels.size)
    for top in range(0, pixels.height, rows):
        band = pixels.crop((0, top, pixels.width, min(top + rows, pixels.height)))
        whole.paste(_flat(band, mode), (0, top))
    return whole


def _flat(pixels: Image.Image, mode: Literal["L", "RGB"]) -> Image.Image:
    if pixels.mode.startswith("I"):
        colour, alpha = _upper_bytes(pixels)
    else:
        coloured = pixels if pixels.mode == "RGBA" else pixels.convert("RGBA")
        colour, alpha = coloured, coloured.getchannel("A")
    colour = colour.convert(mode)
    if alpha is None or alpha.getextrema()[0] == 255:
        return colour
    white = Image.new(mode, pixels.size, "white")
    white.paste(colour, mask=alpha)
    return white


def _upper_bytes(pixels: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """
    Return grey of 16 bits a pixel in eight, and what is opaque of it.

    A plain conversion would cut everything above 255 to white, and all such pictures would look the
    same. One value may stand for nothing at all (tRNS of a PNG).
    """
    values = np.asarray(pixels)
    grey = Image.fromarray((values >> 8).astype(np.uint8))
    nothing = pixels.info.get("transparency")
    if not isinstance(nothing, int):
        return grey, None
    return grey, Image.fromarray(np.where(values == nothing, 0, 255).astype(np.uint8))
