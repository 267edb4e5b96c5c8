"""Files that cost more than pictures do are refused before they are decoded."""

from __future__ import annotations

import time
import zlib

import numpy as np
import pytest
from PIL import Image

from celebcollect.pictures.decode import inspect
from picture_web import picture
from pictures.bombs import BOMBS, png, with_extensions
from pictures.refusals import MAX_PIXELS, why


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(name: str) -> None:
    """Small files that unpack to very much are refused within a second of work."""
    build, reason = BOMBS[name]
    data = build()
    begun = time.thread_time()

    assert why(data, 1_000_000 if "user" in name else MAX_PIXELS) == reason
    assert time.thread_time() - begun < 1


def test_the_limit_itself_is_allowed() -> None:
    """Exactly `max_pixels` pass."""
    assert inspect(picture(1, (1000, 1000)), max_pixels=1_000_000).width_px == 1000


def test_a_photograph_may_carry_ordinary_extras() -> None:
    """A colour profile, EXIF, comments and bytes after the end do not speak against a picture."""
    exif = Image.Exif()
    exif[0x010E] = "described" * 1000
    data = (
        picture(1, exif=exif, icc_profile=b"\0" * 60_000, comment=b"x" * 60_000, progressive=True)
        + b"trailing bytes"
    )

    assert inspect(data, max_pixels=MAX_PIXELS).format == "jpeg"


def test_a_large_picture_may_come_in_many_pieces() -> None:
    """
    Pixels come in ten thousand chunks, and XMP has a megabyte.

    A GIF's decoder takes XMP for as many blocks as its letters say.
    """
    pixels = zlib.compress(
        b"".join(b"\0" + np.random.default_rng(row).bytes(150) for row in range(100))
    )
    chunks = [(b"IDAT", pixels[at : at + 1]) for at in range(len(pixels))]
    xmp = b"\x21\xff\x0bXMP DataXMP" + b"<x:xmpmeta>" * 95_000 + bytes((1, *range(255, -1, -1), 0))

    assert len(chunks) > 10_000
    assert inspect(png(150, 100, *chunks), max_pixels=MAX_PIXELS).format == "png"
    assert inspect(with_extensions(xmp), max_pixels=MAX_PIXELS).format == "gif"
