"""EXIF that is wrong about itself stops nobody who opens the picture."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import PngImagePlugin

from celebcollect.gallery.thumbnails import SIDE_PX
from celebcollect.pictures.decode import inspect
from celebcollect.pictures.exif import orientation
from celebcollect.pictures.file import PictureFile
from celebcollect.pictures.orientation import upright
from celebcollect.stages.export.crops import cut
from celebcollect.vision.base import Face
from picture_web import picture
from pictures.refusals import why

MAKE, ORIENTATION, X_RESOLUTION, USER_COMMENT = 0x010F, 0x0112, 0x011A, 0x9286
BYTE, ASCII, SHORT, LONG, RATIONAL = 1, 2, 3, 4, 5
KINDS = ("JPEG", "PNG", "WEBP", "AVIF")


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    """Build an entry of a little-endian directory."""
    return struct.pack("<HHII", tag, kind, count, value)


def exif(*entries: bytes) -> bytes:
    """Build EXIF of one directory, with room for a value behind it."""
    head = b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries))
    return head + b"".join(entries) + b"\0" * 40


TURNED = entry(ORIENTATION, SHORT, 1, 6)
ODD = {
    "a maker that is a number": exif(entry(MAKE, RATIONAL, 1, 50), TURNED),
    "a resolution of letters": exif(TURNED, entry(X_RESOLUTION, ASCII, 4, 0x00616161)),
    "a value beyond the end": exif(TURNED, entry(USER_COMMENT, ASCII, 2**31, 2**31)),
    "a type that is none": exif(TURNED, entry(USER_COMMENT, 99, 1, 0)),
    "a division by nothing": exif(TURNED, entry(X_RESOLUTION, RATIONAL, 1, 40)),
    "a directory cut off": exif(TURNED)[:16] + b"\xff\xff" + exif(TURNED)[16:],
}


def shown(data: bytes, folder: Path) -> Pillow.Image:
    """Return a picture as those see it who look at what it shows."""
    file = folder / "picture"
    file.write_bytes(data)
    facts = inspect(data, max_pixels=10**9)
    return upright(PictureFile("1", file, facts.width_px, facts.height_px), SIDE_PX)


def lying(kind: str, told: bytes, size: tuple[int, int] = (300, 200)) -> bytes:
    """Return a picture that EXIF of these bytes belongs to."""
    return picture(1, size, kind, "RGB", **({"exif": told} if told else {}))


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_tags_that_are_wrong_stop_nobody(name: str, kind: str, tmp_path: Path) -> None:
    """Each file is proved and hashed, shown in its orientation, and cut."""
    data = lying(kind, ODD[name])
    pixels = shown(data, tmp_path)
    crop = cut(PictureFile("1", tmp_path / "picture", 300, 200), Face((10, 10, 90, 90)))

    assert pixels.size == ((SIDE_PX, 107) if "cut off" in name else (107, SIDE_PX))
    assert not pixels.info
    assert crop[:2] == b"\xff\xd8"


def test_exif_of_an_avif_is_not_read(tmp_path: Path) -> None:
    """Boxes of its own turn it; Pillow would write wrong EXIF anew, and fail."""
    honest, wrong = entry(MAKE, ASCII, 2, 65), entry(MAKE, RATIONAL, 1, 50)
    whole = lying("AVIF", exif(honest, TURNED))
    assert honest in whole

    assert shown(whole.replace(honest, wrong), tmp_path).size == (107, SIDE_PX)
    assert shown(whole.replace(TURNED, entry(ORIENTATION, ASCII, 9, 9)), tmp_path).size == (
        107,
        SIDE_PX,
    )


@pytest.mark.parametrize(
    "told",
    [
        entry(ORIENTATION, LONG, 1, 6),
        entry(ORIENTATION, BYTE, 1, 6),
        entry(ORIENTATION, SHORT, 2, 6),
        entry(ORIENTATION, SHORT, 1, 0),
        entry(ORIENTATION, SHORT, 1, 9),
        entry(ORIENTATION, SHORT, 1, 65_535),
        entry(ORIENTATION, ASCII, 2, ord("6")),
    ],
)
def test_an_odd_orientation_is_none(told: bytes) -> None:
    """Another type, number or value than the standard's leaves the picture as it lies."""
    assert orientation(exif(told)) == 1


def test_orientation_is_read_in_both_byte_orders_and_from_every_container() -> None:
    """All eight values come out as they were written, with or without the prefix."""
    for value in range(1, 9):
        found = Pillow.Exif()
        found[ORIENTATION] = value
        for order in ("<", ">"):
            found.endian = order
            assert orientation(found.tobytes()) == value
            assert orientation(found.tobytes().removeprefix(b"Exif\0\0")) == value


@given(st.binary(max_size=80))
def test_any_bytes_have_an_orientation(data: bytes) -> None:
    """Nothing in EXIF raises an error."""
    for head in (b"", b"Exif\0\0II*\0\x08\0\0\0", b"MM\0*"):
        assert 1 <= orientation(head + data) <= 8


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_every_format_are_turned(kind: str, tmp_path: Path) -> None:
    """What EXIF, or AVIF's own boxes, tell is done once."""
    assert shown(lying(kind, exif(TURNED)), tmp_path).size == (107, SIDE_PX)


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description'
    b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></x:xmpmeta>'
)


@pytest.mark.parametrize("told", [b"", exif(entry(MAKE, ASCII, 2, 65))])
@pytest.mark.parametrize("kind", KINDS)
def test_orientation_that_only_xmp_tells_is_left_alone(
    kind: str, told: bytes, tmp_path: Path
) -> None:
    """Browsers do not turn such pictures, and editors that write it have turned the pixels."""
    options: dict[str, object] = {"exif": told} if told else {}
    if kind == "PNG":
        body = b"XML:com.adobe.xmp\0\0\0\0\0" + XMP
        plain = lying(kind, told)
        data = plain[:33] + chunk(b"iTXt", body) + plain[33:]
    else:
        data = picture(1, (300, 200), kind, "RGB", xmp=XMP, **options)
    assert b"Orientation" in data

    assert shown(data, tmp_path).size == (SIDE_PX, 107)


def chunk(name: bytes, body: bytes) -> bytes:
    """Build a chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def test_what_pillow_raises_over_one_picture_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception of a kind that was never seen before loses one picture and no more."""

    def surprised(*_: object) -> None:
        raise AttributeError("nobody thought of that")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "_open", surprised)
    out = io.BytesIO()
    Pillow.new("RGB", (20, 20)).save(out, "PNG")

    assert why(out.getvalue()) == "corrupt"
