"""Prove that bytes are a picture and measure it, from one decode.

The bytes decide the type; what a server or a file name says plays no role. Bytes come from
anywhere, so each format's header is checked against the pixel limit before its decoder may allocate
anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from celebcollect.pictures.cut_jpeg import check_filled, completed
from celebcollect.pictures.essentials import essentials
from celebcollect.pictures.formats import NotAPicture, sniff
from celebcollect.pictures.hash import PHASH_VERSION, REDUCED_PX, perceptual_hash
from celebcollect.pictures.limits import check_repeats, check_webp, has_one_scan, most_pixels
from celebcollect.pictures.pixels import Decoded, opened, pillow_errors
from celebcollect.pictures.reasons import PictureReason


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What is measured on a picture; its size is that in the file, before EXIF turns it."""

    format: str
    """A key of `formats.EXTENSIONS`."""
    width_px: int
    height_px: int
    phash: str
    phash_version: int


def inspect(data: bytes, *, max_pixels: int) -> PictureFacts:
    """
    Decode a picture and measure it; of an animation, the first frame.

    Raises:
        NotAPicture: `empty`, `not_an_image`, `unsupported_format`, `too_many_pixels`, `truncated`
            or `corrupt`.
    """
    with decoded(data, max_pixels=max_pixels, mode="L", side_px=REDUCED_PX) as picture:
        with pillow_errors(picture.format):
            phash = perceptual_hash(picture.pixels, picture.orientation)
        return PictureFacts(
            picture.format, picture.width_px, picture.height_px, phash, PHASH_VERSION
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
    needed = essentials(kind, data)
    content, one_scan = needed.data, False
    if kind == "JPEG":
        one_scan = has_one_scan(content)
        if not one_scan:
            content = completed(content, max_pixels=max_pixels)
    with opened(
        kind,
        content,
        max_pixels=max_pixels,
        mode=mode,
        side_px=side_px,
        exif=needed.exif,
        ended=one_scan,
    ) as found:
        if found.rows_at_end is not None:
            check_filled(content, found)
        yield found
