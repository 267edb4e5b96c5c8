"""Pictures as people see them: upright, in colour, on white."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from celebcollect.pictures.decode import inspect
from celebcollect.pictures.file import PictureFile
from celebcollect.pictures.orientation import upright


def file_of(out: io.BytesIO, path: Path) -> PictureFile:
    """Write a picture into a file and describe it."""
    path.write_bytes(out.getvalue())
    seen = inspect(out.getvalue(), max_pixels=10**9)
    return PictureFile("1", path, seen.width_px, seen.height_px)


def scene(width: int = 600, height: int = 400) -> Pillow.Image:
    """Draw something with edges, like a photograph."""
    pixels = np.random.default_rng(1).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return Pillow.fromarray(pixels).resize((width, height), Pillow.Resampling.NEAREST)


def modes() -> Iterator[Pillow.Image]:
    yield from (scene().convert(mode) for mode in ("L", "LA", "P", "RGB", "RGBA", "CMYK", "1"))
    yield Pillow.fromarray(np.full((300, 300), 40_000, dtype=np.uint16))


def test_every_kind_of_pixels_becomes_upright_colour(tmp_path: Path) -> None:
    """Grey, palette, transparent, CMYK and 16-bit pictures become RGB of the wanted size."""
    for number, pixels in enumerate(modes()):
        out = io.BytesIO()
        pixels.save(out, "JPEG" if pixels.mode == "CMYK" else "PNG")
        seen = upright(file_of(out, tmp_path / str(number)), 200)
        assert (seen.mode, max(seen.size)) == ("RGB", 200)


def test_transparent_pixels_are_white_and_sixteen_bits_keep_their_brightness(
    tmp_path: Path,
) -> None:
    """What is behind a transparent pixel is not shown; a bright grey stays one."""
    outs = [io.BytesIO() for _ in range(2)]
    Pillow.new("RGBA", (200, 200), (255, 0, 0, 0)).save(outs[0], "PNG")
    Pillow.fromarray(np.full((200, 200), 40_000, dtype=np.uint16)).save(outs[1], "PNG")

    seen = [
        upright(file_of(out, tmp_path / str(number)), 100).getpixel((50, 50))
        for number, out in enumerate(outs)
    ]

    assert seen == [(255, 255, 255), (156, 156, 156)]


def test_pictures_are_turned_as_exif_says(tmp_path: Path) -> None:
    """A picture that a phone stored lying is stood up before anybody looks for a face."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    scene(600, 400).save(out, "JPEG", exif=exif.tobytes())

    assert upright(file_of(out, tmp_path / "0"), 300).size == (200, 300)
