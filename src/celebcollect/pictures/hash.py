"""Give a picture a perceptual hash, alike for pictures that look alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from celebcollect.pictures.exif import UPRIGHT
from celebcollect.pictures.flat import flat, turned

PHASH_VERSION = 2
"""Names the pipeline below: grey on white, reduced to no less than 64 pixels a side (JPEG while it
is decoded, others after it), turned as people see it, then 32x32 LANCZOS. Hashes of two versions
are not comparable (a hash of reduced and one of full pixels differ by up to 10 bits). Version 1
hashed the pixels as they lie in the file, and the colours behind transparent ones."""

REDUCED_PX = 64
"""Shorter side down to which a picture may be reduced before it is hashed."""

_SIDE = 32


def perceptual_hash(picture: Image.Image, orientation: int = UPRIGHT) -> str:
    """
    Return the 64-bit pHash of what people see of a picture, 16 hexadecimal digits.

    32x32 LANCZOS, DCT-II, the lowest 8x8, each above or below their median: bit for bit what
    ImageHash's `phash` gives for the same pixels (`reduced`).
    """
    seen = turned(reduced(picture), orientation)
    small = seen.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS).tobytes()
    low = _DCT @ np.frombuffer(small, np.uint8).reshape(_SIDE, _SIDE).astype(np.float64) @ _DCT.T
    ordered = np.sort(low, axis=None)
    median = (ordered[31] + ordered[32]) / 2
    return bytes(np.packbits(low > median)).hex()


def reduced(picture: Image.Image) -> Image.Image:
    """
    Return a picture in grey and as small as hashing allows.

    Boxes of pixels are averaged; `REDUCED_PX` or more are left on the shorter side.
    """
    grey = flat(picture, "L")
    factor = min(grey.size) // REDUCED_PX
    return grey.reduce(factor) if factor > 1 else grey


def _dct_matrix() -> npt.NDArray[np.float64]:
    """
    Return the first 8 rows of the DCT-II of length 32, (8, 32).

    Unnormalised as in SciPy: 2 cos(pi k (2n + 1) / 64).
    """
    k, n = np.arange(8)[:, None], np.arange(_SIDE)[None, :]
    return 2 * np.cos(np.pi * k * (2 * n + 1) / (2 * _SIDE))


_DCT = _dct_matrix()
