"""Prove that bytes are a picture and measure it, from one decode.

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

from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from celebcollect.pictures.formats import NotAPicture, sniff
from celebcollect.pictures.hash import PHASH_VERSION, REDUCED_PX, perceptual_hash
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
from celebcollect.pictures.pillow import loaded, read_at_once
from celebcollect.pictures.reasons import PictureReason

_LARGE = 48_000_000
"""Pictures that take more bytes are decoded one at a time: one of 100 megapixels takes 600 MB, and
one for each thread would be too much."""

_one_large = threading.Lock()


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What is measured on a picture; its size is that in the file, before EXIF turns it."""

    format: str
    """A key of `formats.EXTENSIONS`."""
    width_px: int
    height_px: int
    phash: str
    phash_version: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture whose pixels are in memory, JPEGs in reduced size; its own size is the file's."""

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
    with decoded(data, max_pixels=max_pixels, mode="L", side_px=REDUCED_PX) as picture:
        return PictureFacts(
            picture.format,
            picture.width_px,
            picture.height_px,
            perceptual_hash(picture.pixels),
            PHASH_VERSION,
        )


def is_picture(data: bytes, *, max_pixels: int) -> bool:
    """Tell whether bytes are a whole picture that we read."""
    try:
        inspect(data, max_pixels=max_pixels)
    except NotAPicture:
        return False
    return True


@contextmanager
def decoded(
    data: bytes, *, max_pixels: int, mode: Literal["L", "RGB"], side_px: int
) -> Iterator[Decoded]:
    """
    Open a picture within the limits and decode it.

    What Pillow finds broken inside the block is reported in the same way.

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
                held = _prepared(picture, data, mode, side_px)
            needed = held + decoding_bytes(kind, picture.width * picture.height)
            with _one_large if needed > _LARGE else nullcontext():
                pixels = loaded(picture, mode)
                # A first frame larger than its GIF's screen grows the picture while it loads.
                check_pixels(*picture.size, max_pixels)
                yield Decoded(kind.lower(), width, height, pixels)
    except Image.DecompressionBombError as error:
        raise NotAPicture(PictureReason.TOO_MANY_PIXELS, str(error)[:200]) from error
    except UnidentifiedImageError as error:  # whose text is only the address of the bytes
        raise NotAPicture(PictureReason.CORRUPT, f"{kind.lower()}: broken header") from error
    except _PILLOW_ERRORS as error:
        raise NotAPicture(
            PictureReason.TRUNCATED if "truncated" in str(error) else PictureReason.CORRUPT,
            f"{kind.lower()}: {error}"[:200],
        ) from error


def _prepared(picture: JpegImagePlugin.JpegImageFile, data: bytes, mode: str, side_px: int) -> int:
    """Set the size in which a JPEG is decoded; return what its scans take beside the pixels."""
    pixels, held = picture.width * picture.height, 0
    if not has_one_scan(data):
        check_scans(data, pixels)
        held = coefficient_bytes(pixels, picture.layers)
    picture.draft(mode, (side_px, side_px))
    read_at_once(picture, len(data))
    return held


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
