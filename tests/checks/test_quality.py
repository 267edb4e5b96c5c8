"""Quality: pictures that show too little go, ordinary photographs stay."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFilter

from celebcollect.checks.base import CheckSettings
from celebcollect.checks.quality import build
from celebcollect.config.sections import CleanConfig, StoreConfig
from checks.check_pictures import picture_of, reasons


def reason(
    tmp_path: Path, pixels: Pillow.Image, *, kind: str = "png", **settings: object
) -> str | None:
    out = io.BytesIO()
    pixels.save(out, kind)
    check = build(CheckSettings(CleanConfig.model_validate(settings), StoreConfig()))
    return reasons(check, [picture_of(out.getvalue(), tmp_path)])[0]


def scene(width: int = 600, height: int = 400) -> Pillow.Image:
    """Draw something with edges, like a photograph."""
    pixels = np.random.default_rng(1).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return Pillow.fromarray(pixels).resize((width, height), Pillow.Resampling.NEAREST)


def test_a_picture_with_contrast_edges_and_colour_passes(tmp_path: Path) -> None:
    """An ordinary picture is not touched."""
    assert reason(tmp_path, scene()) is None


def test_a_strip_is_rejected(tmp_path: Path) -> None:
    """A banner shows no person; the limit is the configured one."""
    assert reason(tmp_path, scene(640, 160)) == "extreme_aspect"
    assert reason(tmp_path, scene(640, 160), max_aspect_ratio=4) is None


def test_a_blank_picture_is_rejected(tmp_path: Path) -> None:
    """One colour, a soft gradient, or a thin text on white is no photograph."""
    text = Pillow.new("RGB", (400, 400), "white")
    ImageDraw.Draw(text).text((150, 200), "No image available", fill="black")

    assert reason(tmp_path, Pillow.new("RGB", (300, 300), "teal")) == "blank"
    assert reason(tmp_path, text) == "blank"
    assert reason(tmp_path, text, min_contrast=0, min_sharpness=0) is None


def test_a_picture_that_is_blurred_all_over_is_rejected(tmp_path: Path) -> None:
    """Blur everywhere is rejected, a sharp subject before a blurred background is not."""
    blurred = scene().filter(ImageFilter.GaussianBlur(12))
    portrait = blurred.copy()
    portrait.paste(scene(200, 250), (200, 100))

    assert reason(tmp_path, blurred) == "blurred"
    assert reason(tmp_path, blurred, min_sharpness=0) is None
    assert reason(tmp_path, portrait) is None


def test_an_enlarged_thumbnail_is_blurred(tmp_path: Path) -> None:
    """Size alone is no quality: a picture blown up from a few pixels is found."""
    assert (
        reason(tmp_path, scene(64, 64).resize((1024, 1024), Pillow.Resampling.BICUBIC)) == "blurred"
    )


def test_pictures_without_colour_are_rejected_on_request(tmp_path: Path) -> None:
    """Greyscale is kept by default, and found in JPEGs with colour channels too."""
    grey = scene().convert("L").convert("RGB")

    assert reason(tmp_path, grey, kind="jpeg") is None
    assert reason(tmp_path, grey, kind="jpeg", greyscale=False) == "greyscale"
    assert reason(tmp_path, scene(), greyscale=False) is None


def test_a_picture_that_no_longer_decodes_is_corrupt(tmp_path: Path) -> None:
    """Should a decoder refuse what it once took, the picture is rejected and the work goes on."""
    out = io.BytesIO()
    scene().save(out, "PNG")
    picture = picture_of(out.getvalue(), tmp_path)
    picture.file.write_bytes(out.getvalue()[:5000])

    assert reasons(build(CheckSettings(CleanConfig(), StoreConfig())), [picture]) == [
        "corrupt_file"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["people", "groups", "no-face"])
def test_real_photographs_pass(shared_data: Path, folder: str) -> None:
    """Nothing but strips is thrown out of the captured photographs."""
    files = [
        file for file in (shared_data / "faces" / folder).rglob("*.*") if file.suffix != ".csv"
    ]
    check = build(CheckSettings(CleanConfig(), StoreConfig()))

    found = reasons(check, [picture_of(file.read_bytes(), file=file) for file in files])

    assert set(found) <= ({None} if folder == "people" else {None, "extreme_aspect"})
    assert len([reason for reason in found if reason]) <= len(files) // 50
