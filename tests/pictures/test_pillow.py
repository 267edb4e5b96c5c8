"""What is used of Pillow that Pillow does not document.

A test that fails here after an upgrade of Pillow says which of its lines have changed. Until
`celebcollect.pictures.pillow` follows, pictures come out the same and take longer.
"""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageFile, WebPImagePlugin

from celebcollect.pictures.decode import inspect
from celebcollect.pictures.hash import perceptual_hash
from celebcollect.pictures.pillow import loaded, read_at_once
from picture_web import picture
from pictures.refusals import MAX_PIXELS


class CountedFile(io.BytesIO):
    """Counts how often the decoder asks for more, not the header's many small reads."""

    large_reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.large_reads += size is not None and size >= 65_536
        return super().read(size)


@pytest.mark.parametrize("at_once", [True, False])
def test_the_decoder_of_a_jpeg_has_the_file_whole(at_once: bool) -> None:
    """`ImageFile.ImageFile.load` reads `self.decodermaxblock` bytes at a time (Pillow 13.0)."""
    data = picture(1, (2000, 2000), quality=95)
    file = CountedFile(data)
    with Image.open(file) as opened:
        assert isinstance(opened, ImageFile.ImageFile)
        if at_once:
            read_at_once(opened, len(data))
        opened.load()

    assert len(data) > 3 * 65_536
    assert (file.large_reads == 1) == at_once


def webp(**options: Any) -> io.BytesIO:
    target = io.BytesIO()
    Image.open(io.BytesIO(picture(1, (300, 200), "PNG"))).save(target, "WEBP", **options)
    return target


def test_the_canvas_of_a_webp_is_not_copied() -> None:
    """`WebPImagePlugin.WebPImageFile._get_next` returns the canvas first (Pillow 13.0)."""
    with Image.open(webp()) as opened:
        assert isinstance(opened, ImageFile.ImageFile)
        canvas = loaded(opened, "L")

        assert canvas is not opened
        assert (canvas.mode, canvas.size) == ("RGBX", (300, 200))


@pytest.mark.parametrize("change", ["gone", "no function", "another shape"])
def test_a_webp_comes_out_the_same_with_another_pillow(
    monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Where the private way has changed, the public one is taken."""
    frames = [Image.open(io.BytesIO(picture(seed, (300, 200), "PNG"))) for seed in (1, 2)]
    data = webp(save_all=True, append_images=frames[1:], lossless=True).getvalue()
    expected = inspect(data, max_pixels=MAX_PIXELS).phash
    next_frame = WebPImagePlugin.WebPImageFile._get_next
    calls = []

    def changed(opened: WebPImagePlugin.WebPImageFile) -> Any:
        calls.append(opened)
        found = next_frame(opened)
        return {"canvas": found} if len(calls) == 1 else found

    if change == "another shape":
        monkeypatch.setattr(WebPImagePlugin.WebPImageFile, "_get_next", changed)
    else:
        name = "no_such_name" if change == "gone" else "n_frames"
        monkeypatch.setattr("celebcollect.pictures.pillow.NEXT_FRAME", name)

    assert inspect(data, max_pixels=MAX_PIXELS).phash == expected
    assert len(calls) == (2 if change == "another shape" else 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "options"), [("RGB", {}), ("RGBA", {}), ("RGBA", {"lossless": True, "exact": True})]
)
def test_a_webp_is_hashed_as_pillow_loads_it(mode: str, options: dict[str, object]) -> None:
    """
    Its pixels are taken from the decoder as they are, which makes no difference.

    That holds under transparent places too.
    """
    for seed, size in enumerate([(1, 1), (90, 131), (401, 300), (1201, 1600)]):
        drawn = Image.open(io.BytesIO(picture(seed, size, "PNG"))).convert(mode)
        if mode == "RGBA":
            drawn.putalpha(drawn.getchannel("G"))
        target = io.BytesIO()
        drawn.save(target, "WEBP", **options)
        with Image.open(target) as loaded:
            loaded.load()

            assert inspect(target.getvalue(), max_pixels=MAX_PIXELS).phash == perceptual_hash(
                loaded
            )
