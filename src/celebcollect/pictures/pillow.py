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


def read_at_once(picture: ImageFile.ImageFile, size_bytes: int) -> None:
    """
    Let the decoder of a JPEG have its file whole.

    Pillow hands it over in pieces of 64 KB (`ImageFile.MAXBLOCK`, which would change for everything
    that is written as well), and the decoder begins the row at the end of each once more: 5 % of
    the time of a large JPEG (measured).
    """
    picture.decodermaxblock = size_bytes


def loaded(picture: ImageFile.ImageFile, mode: str) -> Image.Image:
    """
    Decode the first frame.

    Of a WebP that will be turned grey, take the decoder's canvas as it is: `load` copies it twice
    more, a tenth of the time that a WebP takes (measured).
    """
    if mode == "L" and isinstance(picture, WebPImagePlugin.WebPImageFile):
        canvas = _canvas(picture)
        if canvas is not None:
            return canvas
    picture.load()
    return picture


def _canvas(picture: WebPImagePlugin.WebPImageFile) -> Image.Image | None:
    """Return the first frame of a WebP without a copy, or None where this Pillow has another way."""
    next_frame = getattr(picture, "_get_next", None)
    found = next_frame() if callable(next_frame) else None
    match found:
        case (bytes(canvas), *_) if len(canvas) == 4 * picture.width * picture.height:
            return Image.frombuffer("RGBA", picture.size, canvas, "raw", "RGBA", 0, 1)
    return None
