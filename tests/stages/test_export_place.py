"""Where a picture was taken stays at home."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from celebcollect.pictures.file import PictureFile
from celebcollect.stages.export.crops import cut
from celebcollect.stages.export.gps import without_place
from celebcollect.vision.base import Face
from picture_web import picture
from stages.exporting import Shelf, contents

GPS, ORIENTATION, MAKE = 0x8825, 0x0112, 0x010F
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta'
    b' xmlns:x="adobe:ns:meta/"><rdf:Description exif:GPSLatitude="48,51.5N" '
    b"exif:ISO='100'><exif:GPSLongitude>2,17.7E</exif:GPSLongitude></rdf:Description></x:xmpmeta>"
)


def exif() -> Image.Exif:
    """Return EXIF as a phone writes it."""
    written = Image.Exif()
    written[MAKE] = "A camera with a name"
    written[ORIENTATION] = 6
    written[GPS] = {1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2), 29: "2026:11:25"}
    return written


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_the_place_goes_and_all_else_stays(kind: str) -> None:
    """No GPS in EXIF and XMP; camera, orientation, pixels and size are as they were."""
    options = {"pnginfo": _xmp_text(packed=False)} if kind == "PNG" else {"xmp": XMP}
    data = picture(1, (90, 60), kind, exif=exif(), **options)

    cleaned = without_place(data)

    assert b"48,51" in data
    assert b"48,51" not in cleaned
    assert b"2,17" not in cleaned
    assert len(cleaned) == len(data)
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(cleaned)) as after:
        assert before.getexif().get_ifd(GPS)
        assert GPS not in after.getexif()
        assert not after.getexif().get_ifd(GPS)
        assert (after.getexif()[MAKE], after.getexif()[ORIENTATION]) == ("A camera with a name", 6)
        assert np.array_equal(
            np.asarray(ImageOps.exif_transpose(before)), np.asarray(ImageOps.exif_transpose(after))
        )
    assert without_place(cleaned) == cleaned


def test_both_byte_orders_are_read() -> None:
    """EXIF in Motorola's order (MM) is emptied as that in Intel's."""
    tiff = (
        b"MM\0*\0\0\0\x08\0\2"
        + b"\x01\x12\0\3\0\0\0\1\0\6\0\0"
        + b"\x88\x25\0\4\0\0\0\1\0\0\0\x26"
        + b"\0\0\0\0"
    )
    tiff += (
        b"\0\2"
        + b"\0\1\0\2\0\0\0\2N\0\0\0"
        + b"\0\2\0\5\0\0\0\3\0\0\0\x44"
        + b"\0\0\0\0"
        + b"\0\0\0\x30\0\0\0\x01" * 3
    )
    data = picture(1, exif=b"Exif\0\0" + tiff)

    with Image.open(io.BytesIO(without_place(data))) as after:
        assert dict(after.getexif()) == {ORIENTATION: 6}
    with Image.open(io.BytesIO(data)) as before:
        assert before.getexif().get_ifd(GPS)[2] == (48.0, 48.0, 48.0)
    assert b"\0\0\0\x30\0\0\0\x01" not in without_place(data)


def test_packed_texts_of_a_png_go() -> None:
    """Compressed XMP and EXIF in hexadecimal cannot be searched: they are blanked as a whole."""
    texts = _xmp_text(packed=True)
    texts.add_text("Raw profile type exif", "\nexif\n  20\n" + exif().tobytes().hex(), zip=True)
    texts.add_text("Title", "A portrait", zip=True)
    data = picture(1, (90, 60), "PNG", pnginfo=texts)

    with Image.open(io.BytesIO(without_place(data))) as after:
        after.load()
        assert set(after.info) == {"Comment", "Title"}


def test_a_picture_without_a_place_stays_as_it_is() -> None:
    """Not a byte is changed, and broken EXIF is no trouble."""
    for data in (
        picture(1),
        picture(1, exif=Image.Exif()),
        picture(1, (90, 60), "GIF", "P"),
        b"II*\0",
        b"MM\0*\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff",
        b"II*\0\x08\0\0\0\1\0\x25\x88\4\0\1\0\0\0\xff\xff\xff\xff",
    ):
        assert without_place(data) is data


def test_broken_places_are_no_trouble() -> None:
    """Whatever bit of the EXIF is wrong, the result has the size of the original."""
    data = picture(1, (16, 16), exif=exif())
    for at in range(min(len(data), 400)):
        for value in (0, 0xFF, data[at] ^ 0x80):
            broken = data[:at] + bytes([value]) + data[at + 1 :]
            assert len(without_place(broken)) == len(broken)


@pytest.mark.slow
@pytest.mark.parametrize("crumb", [b"II*\0\x08\0\0\0", b'a:GPSx="', b"a:GPSx>", b"a:", b"a:GPSx= "])
def test_a_file_of_nothing_but_beginnings_takes_no_time(crumb: bytes) -> None:
    """The search ends soon, whatever the file repeats."""
    data = crumb * (2_000_000 // len(crumb)) + b":GPS"
    begun = time.process_time()

    without_place(data)

    assert time.process_time() - begun < 2


@pytest.mark.parametrize("layout", ["imagefolder", "webdataset"])
def test_an_export_tells_no_place_and_a_second_one_writes_nothing(
    tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collected file keeps every byte; the exported one has no GPS, and the same name."""
    data = picture(1, (120, 100), exif=exif(), xmp=XMP)
    monkeypatch.setattr("stages.exporting.drawn", lambda *_: data)
    shelf = Shelf(tmp_path / "data")
    shelf.person(1)
    image = shelf.add(1, 1)

    shelf.export(tmp_path / "set", layout)
    _, again = shelf.export(tmp_path / "set", layout)

    assert (again.counts["unchanged"], again.counts["removed"], again.counts.get("written", 0)) == (
        1,
        0,
        0,
    )
    assert shelf.images.file(image.path or "").read_bytes() == data
    exported = contents(tmp_path / "set")
    assert any(without_place(data) in content for content in exported.values())
    assert not any(b"48,51" in content or data in content for content in exported.values())


def test_a_crop_carries_nothing_of_the_original_but_pixels(tmp_path: Path) -> None:
    """Neither EXIF, XMP nor a comment."""
    file = tmp_path / "original.jpg"
    file.write_bytes(picture(1, (400, 300), exif=exif(), xmp=XMP, comment=b"at home"))
    original = PictureFile("1", file, 400, 300)

    with Image.open(io.BytesIO(cut(original, Face(box=(100, 100, 200, 200))))) as crop:
        assert not {"exif", "xmp", "comment"} & set(crop.info)


def _xmp_text(*, packed: bool) -> PngImagePlugin.PngInfo:
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=packed)
    return texts
