"""The one door to Pillow's decoders: within the limits, and with one error for all of theirs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageFile, JpegImagePlugin, UnidentifiedImageError

from celebcollect.pictures.exif import orientation
from celebcollect.pictures.formats import NotAPicture
from celebcollect.pictures.limits import (
    Metered,
    check_pixels,
    check_scans,
    coefficient_bytes,
    decoding_bytes,
    has_one_scan,
)
from celebcollect.pictures.pillow import loaded, read_at_once, rows_written
from celebcollect.pictures.reasons import PictureReason

_LARGE = 48_000_000
"""Pictures that take more bytes are decoded one at a time: one of 100 megapixels takes 600 MB, and
one for each thread would be too much."""

_one_large = threading.RLock()


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture whose pixels are in memory, JPEGs in reduced size; its own size is the file's."""

    format: str
    width_px: int
    height_px: int
    pixels: Image.Image
    """As they lie in the file."""
    orientation: int
    """How they are to be turned, 1 to 8."""
    rows_at_end: int | None = None
    """Of a JPEG that lacks its end: how many rows of `pixels` were there without it, at least."""


class _EndedFile(Metered):
    """A JPEG's file that gives its decoder an end marker where it has none, as browsers do."""

    rows_at_end: int | None = None
    _picture: ImageFile.ImageFile | None = None

    @contextmanager
    def ending(self, picture: ImageFile.ImageFile) -> Iterator[None]:
        """Give an end marker to the decoder of this picture, once."""
        self._picture = picture
        try:
            yield
        except NotAPicture:
            raise
        except Exception as error:
            if self.rows_at_end is None:
                raise
            raise NotAPicture(PictureReason.TRUNCATED, f"jpeg: {error}"[:200]) from error
        finally:
            self._picture = None

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; behind the last ones, an end marker."""
        data = super().read(size)
        if data or self._picture is None or self.rows_at_end is not None:
            return data
        self.rows_at_end = rows_written(self._picture)
        return b"\xff\xd9"


@contextmanager
def pillow_errors(kind: str) -> Iterator[None]:
    """
    Tell of what Pillow cannot do with a picture as `NotAPicture`.

    Its plugins have raised ten kinds of exceptions over broken bytes, and the next file brings an
    eleventh: whatever it is, it is one picture that is lost.
    """
    try:
        yield
    except NotAPicture:
        raise
    except Image.DecompressionBombError as error:
        raise NotAPicture(PictureReason.TOO_MANY_PIXELS, str(error)[:200]) from error
    except UnidentifiedImageError as error:  # whose text is only the address of the bytes
        raise NotAPicture(PictureReason.CORRUPT, f"{kind.lower()}: broken header") from error
    except Exception as error:
        raise NotAPicture(
            PictureReason.TRUNCATED if "truncated" in str(error) else PictureReason.CORRUPT,
            f"{kind.lower()}: {error}"[:200],
        ) from error


@contextmanager
def opened(
    kind: str,
    data: bytes,
    *,
    max_pixels: int,
    mode: Literal["L", "RGB"],
    side_px: int,
    exif: bytes | None = None,
    ended: bool = False,
) -> Iterator[Decoded]:
    """
    Decode the first frame of a file.

    Args:
        kind: Pillow's name of its format.
        data: Its bytes; limits that lie in their structure have been checked.
        max_pixels: Width times height.
        mode: The colours wanted; only JPEG's decoder heeds it.
        side_px: How small a JPEG may get while it is decoded.
        exif: Where it was taken out of the bytes.
        ended: Of a JPEG, end it where it lacks its end, and tell so (`Decoded.rows_at_end`).

    Raises:
        NotAPicture: Pillow cannot read it, or it is too large.
    """
    with ExitStack() as held:
        with pillow_errors(kind):
            file = _EndedFile(data) if ended else Metered(data)
            picture = held.enter_context(Image.open(file, formats=(kind,)))
            width, height = picture.size
            check_pixels(width, height, max_pixels)
            needed = 0
            if isinstance(picture, JpegImagePlugin.JpegImageFile):
                needed = _prepared(picture, data, mode, side_px)
            needed += decoding_bytes(kind, picture.width * picture.height)
            if needed > _LARGE:
                held.enter_context(_one_large)
            with file.ending(picture) if isinstance(file, _EndedFile) else nullcontext():
                pixels = loaded(picture, mode)
            # A first frame larger than its GIF's screen grows the picture while it loads.
            check_pixels(*picture.size, max_pixels)
            told = picture.info.get("exif") if exif is None else exif
        turn = orientation(told if isinstance(told, bytes) else b"")
        rows = file.rows_at_end if isinstance(file, _EndedFile) else None
        yield Decoded(kind.lower(), width, height, pixels, turn, rows)


def _prepared(picture: JpegImagePlugin.JpegImageFile, data: bytes, mode: str, side_px: int) -> int:
    """Set the size in which a JPEG is decoded; return what its scans take beside the pixels."""
    pixels, held = picture.width * picture.height, 0
    if not has_one_scan(data):
        check_scans(data, pixels)
        held = coefficient_bytes(pixels, picture.layers)
    picture.draft(mode, (side_px, side_px))
    read_at_once(picture, len(data))
    return held
