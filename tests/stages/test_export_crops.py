"""Export faces instead of pictures: cut out, level, in one size."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageOps

from celebcollect.checks.face_facts import as_json
from celebcollect.domain.errors import UsageError
from celebcollect.domain.records import Image
from celebcollect.pictures.file import PictureFile
from celebcollect.stages.export import read_index
from celebcollect.stages.export.crops import SIDE_PX, cut, roll_of
from celebcollect.vision.base import Face
from stages.exporting import Shelf, contents, library, tree
from support import missing

MIDDLE, WIDTH = (300.0, 220.0), 100.0
RED, BLUE = (220, 20, 20), (20, 20, 220)
BOTH_ORDERS = ("dlib", "yunet")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "data")


def turned(x: float, y: float, degrees: float) -> tuple[float, float]:
    """Return the pixel of a point of a turned face, told in face widths from its middle."""
    angle = math.radians(degrees)
    x, y = x * WIDTH, y * WIDTH
    return MIDDLE[0] + x * math.cos(angle) - y * math.sin(angle), MIDDLE[1] + x * math.sin(
        angle
    ) + y * math.cos(angle)


def face(degrees: float = 0, order: str = "dlib") -> Face:
    """A face with a red eye on the left and a blue one on the right."""
    left, right, nose = (
        turned(-0.2, -0.15, degrees),
        turned(0.2, -0.15, degrees),
        turned(0, 0.1, degrees),
    )
    if order == "dlib":
        corners = [turned(x, -0.15, degrees) for x in (0.27, 0.13, -0.27, -0.13)]
        points = (*corners, nose)
    else:
        points = (left, right, nose, turned(-0.15, 0.3, degrees), turned(0.15, 0.3, degrees))
    half = WIDTH / 2
    return Face(
        (MIDDLE[0] - half, MIDDLE[1] - half, MIDDLE[0] + half, MIDDLE[1] + half), points, 1.0
    )


def drawn(degrees: float = 0) -> Pillow.Image:
    picture = Pillow.new("RGB", (640, 480), (230, 230, 230))
    draw = ImageDraw.Draw(picture)
    for x, colour in ((-0.2, RED), (0.2, BLUE)):
        place = turned(x, -0.15, degrees)
        draw.ellipse([place[0] - 6, place[1] - 6, place[0] + 6, place[1] + 6], fill=colour)
    return picture


def spot(crop: Pillow.Image, colour: tuple[int, int, int]) -> tuple[float, float]:
    """Where a colour is, as fractions of the crop."""
    near = np.abs(np.asarray(crop.convert("RGB"), dtype=int) - colour).sum(axis=2) < 120
    rows, columns = near.nonzero()
    assert len(rows), "the eye is not in the crop"
    return columns.mean() / SIDE_PX, rows.mean() / SIDE_PX


def picture_of(file: Path, size: tuple[int, int]) -> PictureFile:
    return PictureFile("x", file, *size)


@pytest.mark.parametrize("order", BOTH_ORDERS)
@pytest.mark.parametrize("degrees", [-40, -12, 0, 5, 30])
def test_eyes_are_level_and_where_they_should_be(
    tmp_path: Path, degrees: float, order: str
) -> None:
    """Whichever way the face leans, and in whichever order a detector tells its points."""
    drawn(degrees).save(tmp_path / "a.png")

    crop = Pillow.open(
        io.BytesIO(cut(picture_of(tmp_path / "a.png", (640, 480)), face(degrees, order)))
    )

    assert (crop.format, crop.size) == ("JPEG", (SIDE_PX, SIDE_PX))
    # A quarter of the face's width on each side: the crop is one and a half times as wide as the
    # face.
    assert spot(crop, RED) == pytest.approx((0.5 - 0.2 / 1.5, 0.5 - 0.15 / 1.5), abs=0.02)
    assert spot(crop, BLUE) == pytest.approx((0.5 + 0.2 / 1.5, 0.5 - 0.15 / 1.5), abs=0.02)


def test_a_picture_that_exif_turns_is_cut_upright(tmp_path: Path) -> None:
    """Boxes are in the picture as people see it, sizes as they are in the file."""
    exif = Pillow.Exif()
    exif[0x0112] = 6  # to be turned right by a quarter
    drawn(10).rotate(90, expand=True).save(tmp_path / "a.jpg", quality=98, exif=exif)

    crop = Pillow.open(io.BytesIO(cut(picture_of(tmp_path / "a.jpg", (480, 640)), face(10))))

    assert spot(crop, RED) == pytest.approx((0.367, 0.4), abs=0.02)


@pytest.mark.slow
def test_a_large_picture_is_scaled_down_first(tmp_path: Path) -> None:
    """The crop of a picture of 6,000 pixels looks like that of a small one."""
    drawn(20).resize((6400, 4800)).save(tmp_path / "a.jpg")
    large = face(20).moved(10)

    crop = Pillow.open(io.BytesIO(cut(picture_of(tmp_path / "a.jpg", (6400, 4800)), large)))

    assert spot(crop, BLUE) == pytest.approx((0.633, 0.4), abs=0.02)


STEEP = ((0.0, 0.0), (0.1, 5.0), (1.0, 1.0), (0.0, 9.0), (1.0, 9.0))


@pytest.mark.parametrize(
    "points",
    [(), ((1.0, 1.0),) * 4, ((1.0, 1.0),) * 5, STEEP],
    ids=["none", "four", "one", "steep"],
)
def test_points_that_tell_nothing_turn_nothing(points: tuple[tuple[float, float], ...]) -> None:
    """Better a leaning face than one on its head."""
    assert roll_of(points) == 0


def test_beyond_the_edge_it_is_black(tmp_path: Path) -> None:
    """A face in a corner keeps its place in the middle of the crop."""
    drawn().save(tmp_path / "a.png")
    corner = Face((-20, -20, 60, 60), (), 1.0)

    crop = Pillow.open(io.BytesIO(cut(picture_of(tmp_path / "a.png", (640, 480)), corner))).convert(
        "L"
    )

    grey = np.asarray(crop)
    assert grey[5, 5] < 20
    assert grey[SIDE_PX - 5, SIDE_PX - 5] > 200


def with_faces(shelf: Shelf, count: int = 6) -> list[Image]:
    found = as_json(Face((20, 20, 80, 80), ((70, 40), (58, 40), (30, 40), (42, 40), (50, 60)), 1.0))
    return [
        shelf.add(
            1,
            seed,
            kind=("JPEG", "PNG", "WEBP")[seed % 3],
            facts={"faces": {"version": "1", "size": [120, 100], "faces": [found]}},
        )
        for seed in range(count)
    ]


@pytest.mark.parametrize("layout", ["imagefolder", "webdataset"])
def test_crops_are_exported_once_and_again_when_the_face_is_seen_elsewhere(
    shelf: Shelf, tmp_path: Path, layout: str
) -> None:
    """
    The set has a crop of each picture with a known face.

    A second export cuts nothing, and a better detector cuts what it sees otherwise.
    """
    added = with_faces(shelf)
    shelf.add(1, 99)
    summary, tally = shelf.export(tmp_path / "out", layout, crops=True, max_shard_bytes=1)
    before = tree(tmp_path / "out")

    _, again = shelf.export(tmp_path / "out", layout, crops=True, max_shard_bytes=1)

    assert (summary.images, tally.reasons) == (6, {"no_known_face": 1})
    assert again["written"] == 0
    assert tree(tmp_path / "out") == before
    moved = as_json(Face((22, 20, 82, 80), (), 1.0))
    shelf.catalogue.record_verdicts(
        [
            added[0].model_copy(
                update={"facts": {"faces": {"version": "2", "size": [120, 100], "faces": [moved]}}}
            )
        ]
    )
    _, last = shelf.export(tmp_path / "out", layout, crops=True, max_shard_bytes=1)
    assert last["written"] == 1
    shelf.export(tmp_path / "fresh", layout, crops=True, max_shard_bytes=1)
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


@pytest.mark.slow
def test_libraries_load_crops(shelf: Shelf, tmp_path: Path) -> None:
    """All are JPEGs of one size; metadata are those of the whole picture, as the card says."""
    with_faces(shelf)
    shelf.export(tmp_path / "out", crops=True)
    datasets = library("datasets")

    loaded = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache")
    )

    rows = [row for side in loaded.values() for row in side]
    assert {row["image"].size for row in rows} == {(SIDE_PX, SIDE_PX)}
    assert {(row["width_px"], row["height_px"]) for row in rows} == {(120, 100)}
    assert "turned so that the eyes are level" in (tmp_path / "out" / "README.md").read_text()


def test_crops_and_pictures_do_not_share_a_folder(shelf: Shelf, tmp_path: Path) -> None:
    """The names would be the same."""
    with_faces(shelf)
    shelf.export(tmp_path / "out", crops=True)

    with pytest.raises(UsageError, match="another kind") as caught:
        shelf.export(tmp_path / "out")

    assert "--format imagefolder --crops" in caught.value.hint
    index = read_index(tmp_path / "out")
    assert index
    assert json.loads(index.to_json())["crops"]


@pytest.mark.slow
def test_real_faces_are_found_again_and_level(shared_data: Path) -> None:
    """In every crop of a photograph there is one face, in the middle, leaning below 4 degrees."""
    from celebcollect.vision import dlib_engine, dlib_package

    if dlib_package.why_not():
        missing("the extra `faces`")
    engine = dlib_engine.DlibSpec().load()
    looked = 0
    for file in sorted((shared_data / "faces" / "people").glob("*/*"))[::9]:
        with Pillow.open(file) as opened:
            size, upright = opened.size, ImageOps.exif_transpose(opened).convert("RGB")
        small = upright.copy()
        small.thumbnail((640, 640))
        found = engine.detect(np.ascontiguousarray(np.asarray(small)))
        if len(found) != 1:
            continue
        looked += 1

        crop = Pillow.open(
            io.BytesIO(cut(picture_of(file, size), found[0].moved(max(size) / max(small.size))))
        ).convert("RGB")

        again = engine.detect(np.ascontiguousarray(np.asarray(crop)))
        assert len(again) == 1, file
        left, top, right, bottom = again[0].box
        assert (left + right) / 2 == pytest.approx(SIDE_PX / 2, abs=30)
        assert (top + bottom) / 2 == pytest.approx(SIDE_PX / 2, abs=30)
        assert abs(math.degrees(roll_of(again[0].landmarks))) < 4
    assert looked > 5
