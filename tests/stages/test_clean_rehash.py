"""One photograph, once as the camera wrote it and once upright; and folders hashed before that."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image as Pillow

from celebcollect.domain.records import Image
from celebcollect.pictures.formats import NotAPicture
from celebcollect.pictures.hash import PHASH_VERSION
from celebcollect.pictures.reasons import PictureReason
from stages.cleaning import World, jpeg, texture

LYING = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    6: Pillow.Transpose.ROTATE_90,
    8: Pillow.Transpose.ROTATE_270,
}
CAMERA, SITE = "https://a.example/camera", "https://a.example/site"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with_files = World(tmp_path)
    yield with_files
    with_files.close()


def camera(orientation: int, kind: str = "JPEG") -> bytes:
    """Return the photograph as it lies in a camera's file, with the orientation in EXIF."""
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    texture(1, 320, 240).transpose(LYING[orientation]).save(out, kind, exif=exif, quality=92)
    return out.getvalue()


def site() -> bytes:
    """Return the same photograph upright, smaller and without EXIF."""
    out = io.BytesIO()
    texture(1, 320, 240).resize((200, 150)).save(out, "JPEG", quality=85)
    return out.getvalue()


def put_old(world: World, qid: str, data: bytes, url: str, **changes: object) -> Image:
    """Store a picture as version 0.1 did, with the hash of the pixels as they lie."""
    image = world.image(qid, data, url)
    lying = b"Exif" in data
    then = "0123456789abcdef" if lying else image.phash
    old = image.model_copy(update={"phash_version": 1, "phash": then, **changes})
    world.folder.put(qid, old.sha256 or "", (old.path or "").rpartition(".")[2], data)
    world.catalogue.record_stored([old])
    return old


@pytest.mark.parametrize("orientation", LYING)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photograph_and_its_turned_copy_are_one(
    world: World, orientation: int, kind: str
) -> None:
    """What people see is compared: the larger copy is kept, however it lies in its file."""
    world.put("Q1", camera(orientation, kind), CAMERA)
    world.put("Q1", site(), SITE)

    world.run()

    assert world.verdicts() == {
        CAMERA: ("accepted", None),
        SITE: ("rejected", "near_duplicate"),
    }


def test_two_people_with_one_photograph_are_noticed_however_it_lies(world: World) -> None:
    """The copy that is turned by EXIF is another person's photograph too."""
    world.put("Q1", camera(6), CAMERA)
    world.put("Q20", site(), SITE)

    world.run()

    assert {reason for _, reason in world.verdicts().values()} == {"same_picture_other_person"}


def test_old_hashes_are_made_anew_when_their_person_is_cleaned(world: World) -> None:
    """Copies of version 0.1 are found, in a folder that it had cleaned before."""
    put_old(world, "Q1", camera(6), CAMERA)
    put_old(world, "Q1", site(), SITE)
    put_old(world, "Q20", camera(3), CAMERA + "-of-another")

    world.run()

    rows = world.rows()
    assert {row.phash_version for row in rows.values()} == {PHASH_VERSION}
    assert rows[SITE].reason == rows[CAMERA].reason == "same_picture_other_person"
    world.check_whole()
    revisited = world.run()
    assert revisited.counts == {}


def test_what_lay_upright_keeps_its_hash_without_a_decoder(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 1 hashed upright JPEGs as version 2 does."""
    today = put_old(world, "Q1", site(), SITE).sha256
    truth = world.image("Q1", site(), SITE).phash

    def decode(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("celebcollect.stages.clean.rehash.inspect", decode)
    world.run()

    assert (world.rows()[SITE].phash, world.rows()[SITE].phash_version) == (truth, PHASH_VERSION)
    assert world.rows()[SITE].sha256 == today


def gone(file: Path) -> None:
    file.unlink()


def changed(file: Path) -> None:
    file.write_bytes(jpeg(9))


@pytest.mark.parametrize(("harm", "reason"), [(gone, "file_missing"), (changed, "corrupt_file")])
def test_without_its_file_a_picture_keeps_its_old_hash(
    world: World, harm: Callable[[Path], None], reason: str
) -> None:
    """It is thrown out, compared with nothing, and hashed when the file is back."""
    old = put_old(world, "Q1", camera(6), CAMERA)
    world.put("Q1", site(), SITE)
    file = world.root / (old.path or "")
    harm(file)

    world.run()

    row = world.rows()[CAMERA]
    assert (row.reason, row.phash, row.phash_version) == (reason, old.phash, 1)
    assert world.verdicts()[SITE] == ("accepted", None)

    back = world.root / (row.path or "")
    back.parent.mkdir(parents=True, exist_ok=True)
    back.write_bytes(camera(6))
    world.catalogue.clean_again(["Q1"])
    world.run()

    assert world.rows()[CAMERA].phash_version == PHASH_VERSION
    assert world.verdicts()[SITE] == ("rejected", "near_duplicate")


def test_what_was_measured_on_another_view_is_measured_anew(world: World) -> None:
    """A picture that former versions turned by XMP has its faces somewhere else now."""
    out = io.BytesIO()
    told = b'<x:xmpmeta tiff:Orientation="6"/>'
    texture(1, 320, 240).save(out, "JPEG", xmp=told)
    stale = {"quality": {"version": 1, "sharpness": 99, "contrast": 1, "colour": 9}}
    put_old(world, "Q1", out.getvalue(), CAMERA, facts=stale)
    put_old(world, "Q1", jpeg(5), SITE, facts=stale)

    world.run()

    assert world.verdicts() == {CAMERA: ("accepted", None), SITE: ("rejected", "blank")}


def measured_before(world: World, *, by_xmp: bytes, by_exif: int | None) -> bool:
    """Tell whether what an older version measured still counts after a cleaning."""
    exif = Pillow.Exif()
    if by_exif:
        exif[0x0112] = by_exif
    out = io.BytesIO()
    texture(1, 320, 240).save(out, "JPEG", xmp=by_xmp, exif=exif if by_exif else b"")
    stale = {"quality": {"version": 1, "sharpness": 99, "contrast": 99, "colour": 77}}
    put_old(world, "Q1", out.getvalue(), CAMERA, facts=stale)
    world.run()
    return world.rows()[CAMERA].facts["quality"]["colour"] == 77


@pytest.mark.parametrize(
    ("by_xmp", "by_exif", "counts"),
    [
        (b'<x:xmpmeta tiff:Orientation="1"/>', None, True),
        (b"<x:xmpmeta><tiff:Orientation>1</tiff:Orientation></x:xmpmeta>", 1, True),
        (b'<x:xmpmeta tiff:Orientation="6"/>', 6, True),
        (b'<x:xmpmeta AutoOrientation="x"/>', None, True),
        (b"<x:xmpmeta><tiff:Orientation>6</tiff:Orientation></x:xmpmeta>", None, False),
        (b'<x:xmpmeta tiff:Orientation="6"/>', 8, False),
    ],
)
def test_what_xmp_tells_as_exif_does_is_no_other_view(
    world: World, by_xmp: bytes, by_exif: int | None, *, counts: bool
) -> None:
    """Photoshop and Lightroom write an orientation into every picture, nearly always 1."""
    assert measured_before(world, by_xmp=by_xmp, by_exif=by_exif) is counts


@pytest.mark.parametrize("error", [NotAPicture(PictureReason.CORRUPT, "png"), OverflowError("no")])
def test_what_the_decoder_refuses_today_is_tried_once(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """It has no hash then, and stops nobody."""
    put_old(world, "Q1", camera(6), CAMERA)
    put_old(world, "Q1", site(), SITE)
    tried = []

    def refusing(*_: object, **__: object) -> None:
        tried.append(1)
        raise error

    monkeypatch.setattr("celebcollect.stages.clean.rehash.inspect", refusing)
    for _ in range(2):
        world.catalogue.clean_again(["Q1"])
        world.run()

    row = world.rows()[CAMERA]
    assert (len(tried), row.phash, row.phash_version) == (1, None, PHASH_VERSION)
    assert world.verdicts()[SITE] == ("accepted", None)
