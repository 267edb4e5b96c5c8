"""Prove that bytes are a picture, measure it and give it a perceptual hash - from one decode. The home of Pillow and numpy below the checks.

The bytes decide the type; what a server or a file name says plays no role. Bytes come from
anywhere, so each format's header is checked against the pixel limit before its decoder may allocate
anything.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from celebcollect.pictures.formats import NotAPicture, sniff
from celebcollect.pictures.limits import (
    Metered,
    check_pixels,
    check_repeats,
    check_scans,
    check_webp,
    coefficient_bytes,
    decoding_bytes,
    has_one_scan,
    most_pixels,
)
from celebcollect.pictures.reasons import PictureReason

__all__ = [
    "EXTENSIONS",
    "PHASH_VERSION",
    "Decoded",
    "NotAPicture",
    "PictureFacts",
    "decoded",
    "inspect",
    "perceptual_hash",
    "reduced",
]

PHASH_VERSION = 1
"""Names the pipeline below: grey, reduced to no less than 64 pixels a side (JPEG while it is
decoded, others after it), then 32x32 LANCZOS. Hashes of two versions are not comparable (a hash of
reduced and one of full pixels differ by up to 10 bits)."""

_REDUCED_PX = 64

EXTENSIONS = {
    "jpeg": "jpg",
    "png": "png",
    "webp": "webp",
    "gif": "gif",
    "avif": "avif",
}
"""Formats that are read (`PictureFacts.format`), with the extension of their files. HEIC has no
decoder in Pillow; BMP and TIFF are rare on the web, and TIFF's many codecs are a wide door."""

_PLUGINS = (AvifImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin)
"""Imported here, so that Pillow does not load its other forty on the first file that it does not
know."""

_LARGE = 48_000_000
"""Pictures that take more bytes are decoded one at a time: one of 100 megapixels takes 600 MB, and
one for each thread would be too much."""

_one_large = threading.Lock()


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What is measured on a picture; width and height as they are stored in the file, before EXIF turns it."""

    format: str
    """A key of `EXTENSIONS`."""
    width_px: int
    height_px: int
    phash: str
    phash_version: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture whose pixels are in memory, JPEGs in reduced size; width and height as in `PictureFacts`."""

    format: str
    width_px: int
    height_px: int
    pixels: Image.Image


def inspect(data: bytes, *, max_pixels: int) -> PictureFacts:
    """
    Decode a picture and measure it; of an animation, the first frame.

    Raises:
        NotAPicture: `empty`, `not_an_image`, `unsupported_format`, `too_many_pixels`, `truncated`
            or `corrupt`.
    """
    with decoded(data, max_pixels=max_pixels, mode="L", side_px=_REDUCED_PX) as picture:
        return PictureFacts(
            picture.format,
            picture.width_px,
            picture.height_px,
            perceptual_hash(picture.pixels),
            PHASH_VERSION,
        )


@contextmanager
def decoded(
    data: bytes, *, max_pixels: int, mode: Literal["L", "RGB"], side_px: int
) -> Iterator[Decoded]:
    """
    Open a picture within the limits and decode it; what Pillow finds broken inside the block is reported alike.

    Args:
        data: From anywhere.
        max_pixels: Width times height; more is refused before anything is allocated.
        mode: The colours wanted; only JPEG's decoder heeds it, for others the caller converts.
        side_px: How small a JPEG may get while it is decoded: no side becomes shorter than that.

    Raises:
        NotAPicture: As for `inspect`.
    """
    if not data:
        raise NotAPicture(PictureReason.EMPTY, "0 bytes")
    kind = sniff(data)
    max_pixels = most_pixels(kind, max_pixels)
    if kind == "WEBP":
        check_webp(data, max_pixels)
    check_repeats(kind, data)
    try:
        with Image.open(Metered(data), formats=(kind,)) as picture:
            width, height = picture.size
            check_pixels(width, height, max_pixels)
            held = 0
            if isinstance(picture, JpegImagePlugin.JpegImageFile):
                if not has_one_scan(data):
                    check_scans(data, width * height)
                    held = coefficient_bytes(width * height, picture.layers)
                picture.draft(mode, (side_px, side_px))
                # In pieces, the decoder would begin the row at the end of each once more.
                picture.decodermaxblock = len(data)
            needed = held + decoding_bytes(kind, picture.width * picture.height)
            with _one_large if needed > _LARGE else nullcontext():
                pixels = _loaded(picture, mode)
                # A first frame larger than its GIF's screen grows the picture while it loads.
                check_pixels(*picture.size, max_pixels)
                yield Decoded(kind.lower(), width, height, pixels)
    except Image.DecompressionBombError as error:
        raise NotAPicture(PictureReason.TOO_MANY_PIXELS, str(error)[:200]) from error
    except UnidentifiedImageError as error:  # whose text is only the address of the bytes
        raise NotAPicture(PictureReason.CORRUPT, f"{kind.lower()}: broken header") from error
    except _PILLOW_ERRORS as error:
        raise NotAPicture(
            PictureReason.TRUNCATED
            if PictureReason.TRUNCATED in str(error)
            else PictureReason.CORRUPT,
            f"{kind.lower()}: {error}"[:200],
        ) from error


_PILLOW_ERRORS = (
    OSError,
    SyntaxError,  # what plugins raise for a broken header
    ValueError,  # includes "decompressed data too large" of PNG's text and ICC chunks
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
    # a size that no machine has; the pixel limit has been checked, so it is the file that lies
    MemoryError,
    RuntimeError,  # how the AVIF and WebP bindings fail
)
"""Everything that Pillow's five plugins were seen to raise on broken bytes, and nothing else."""


def _loaded(picture: ImageFile.ImageFile, mode: str) -> Image.Image:
    """
    Decode the first frame.

    Of a WebP that will be turned grey, take the decoder's canvas as it is: `load` copies it twice
    more, a tenth of the time that a WebP takes.
    """
    if (
        mode == "L"
        and isinstance(picture, WebPImagePlugin.WebPImageFile)
        and hasattr(picture, "_get_next")
    ):
        canvas, _, _ = picture._get_next()
        return Image.frombuffer("RGBA", picture.size, canvas, "raw", "RGBA", 0, 1)
    picture.load()
    return picture


def perceptual_hash(picture: Image.Image) -> str:
    """
    Return the 64-bit pHash of a picture, 16 hexadecimal digits: 32x32 LANCZOS, DCT-II, the lowest 8x8, above or below their median.

    Bit for bit what ImageHash's `phash` gives for the same pixels (`reduced`).
    """
    small = reduced(picture).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS).tobytes()
    low = _DCT @ np.frombuffer(small, np.uint8).reshape(_SIDE, _SIDE).astype(np.float64) @ _DCT.T
    ordered = np.sort(low, axis=None)
    median = (ordered[31] + ordered[32]) / 2
    return bytes(np.packbits(low > median)).hex()


def reduced(picture: Image.Image) -> Image.Image:
    """Return a picture in grey and as small as hashing allows: boxes of pixels averaged, 64 pixels left on the shorter side."""
    grey = _grey(picture)
    factor = min(grey.size) // _REDUCED_PX
    return grey.reduce(factor) if factor > 1 else grey


def _grey(picture: Image.Image) -> Image.Image:
    if picture.mode == "L":
        return picture
    if picture.mode.startswith("I;16"):
        # A plain conversion would cut everything above 255 to white, and all such pictures would
        # look the same: take the upper byte of each value.
        values = np.asarray(picture).astype("<u2", copy=False)
        return Image.fromarray(np.ascontiguousarray(values.view(np.uint8)[:, 1::2]))
    picture.info.pop("transparency", None)  # would only make Pillow warn about palettes
    return picture.convert("L")


_SIDE = 32


def _dct_matrix() -> npt.NDArray[np.float64]:
    """Return the first 8 rows of the DCT-II of length 32, (8, 32), unnormalised as in SciPy: 2 cos(pi k (2n + 1) / 64)."""
    k, n = np.arange(8)[:, None], np.arange(_SIDE)[None, :]
    return 2 * np.cos(np.pi * k * (2 * n + 1) / (2 * _SIDE))


_DCT = _dct_matrix()
