"""Pillow's five readers of our formats, and what is used of them that Pillow does not document.

pyproject.toml bounds Pillow below the next major version for the sake of these two functions;
tests/pictures/test_pillow.py says which lines of Pillow they rely on. Where Pillow has changed,
both do without: pictures then take more time and come out the same.
"""

from __future__ import annotations

from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

READERS = (AvifImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin)
"""Imported here, so that Pillow does not load its other forty on the first file that it does not
know."""

NEXT_FRAME = "_get_next"
"""Of `WebPImagePlugin.WebPImageFile`: returns the decoder's canvas, a time and a duration. There is
no public way to the canvas; `load` uses this one (WebPImagePlugin.py of Pillow 13.0)."""


def read_at_once(picture: ImageFile.ImageFile, size_bytes: int) -> None:
    """
    Let the decoder of a JPEG have its file whole.

    Pillow hands it over in pieces of 64 KB (`ImageFile.MAXBLOCK`, which would change for everything
    that is written as well), and the decoder begins the row at the end of each once more: 3 to 8 %
    of the time of a JPEG of 19 megapixels (measured, Pillow 13.0).
    """
    picture.decodermaxblock = size_bytes


def rows_written(picture: ImageFile.ImageFile) -> int:
    """
    Return how many rows a decoder that waits for bytes has written, black ones at the end left out.

    Only while `load` is at work: Pillow's `Image.getbbox` would call it once more, so its pixels
    are asked directly (`ImagingCore.getbbox`, Pillow 13.0).
    """
    box = picture.im.getbbox()
    return box[3] if box else 0


def loaded(picture: ImageFile.ImageFile, mode: str) -> Image.Image:
    """
    Decode the first frame.

    Of a WebP that will be turned grey, take the decoder's canvas as it is: `load` copies it twice
    more, a tenth of the time that a WebP of 2 to 19 megapixels takes (measured, Pillow 13.0).
    """
    if mode == "L" and isinstance(picture, WebPImagePlugin.WebPImageFile):
        canvas = _canvas(picture)
        if canvas is not None:
            return canvas
    picture.load()
    return picture


def _canvas(picture: WebPImagePlugin.WebPImageFile) -> Image.Image | None:
    """
    Return the first frame of a WebP without a copy, or None where this Pillow has another way.

    After a look in vain, `load` rewinds the file by itself.
    """
    next_frame = getattr(picture, NEXT_FRAME, None)
    found = next_frame() if callable(next_frame) else None
    match found:
        case (bytes(canvas), *_) if len(canvas) == 4 * picture.width * picture.height:
            # The decoder's fourth byte means nothing where the file has no transparency.
            mode = "RGBA" if picture.mode == "RGBA" else "RGBX"
            return Image.frombuffer(mode, picture.size, canvas, "raw", mode, 0, 1)
    return None
