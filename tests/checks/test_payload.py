"""What cameras and editors write is forgiven, and nothing stops the search."""

from __future__ import annotations

import io
import random
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from celebcollect.checks.payload import search
from checks.payloads import A_VIDEO, EXIF, NOISE, XMP, encoded, gif_with, jpeg_with, png_with

KINDS = ("jpeg", "png", "gif", "webp", "avif")


def test_ordinary_pictures_of_every_format_carry_nothing() -> None:
    """What Pillow writes is clean, with and without scans, an animation, profile or EXIF."""
    exif = Pillow.Exif()
    exif[0x010E] = "A portrait <b>of</b> somebody & co; see http://example.org/?a=1"
    frames = {"save_all": True, "append_images": [Pillow.new("RGB", (160, 120), "red")]}
    plain = [(kind, encoded(kind)) for kind in KINDS]
    special = [
        ("jpeg", encoded("jpeg", progressive=True, optimize=True)),
        (
            "jpeg",
            encoded(
                "jpeg",
                exif=exif.tobytes(),
                comment=b"CREATOR: gd-jpeg v1.0, quality = 90\n",
                icc_profile=NOISE,
            ),
        ),
        ("jpeg", encoded("jpeg", restart_marker_blocks=2)),
        ("png", encoded("png", icc_profile=NOISE, exif=exif.tobytes())),
    ]
    out = io.BytesIO()
    Pillow.new("RGB", (160, 120)).save(out, "webp", exif=exif.tobytes(), **frames)

    assert {search(data, kind) for kind, data in (*plain, *special, ("webp", out.getvalue()))} == {
        None
    }


@pytest.mark.parametrize(
    ("name", "kind", "data"),
    [
        ("padding", "jpeg", encoded("jpeg") + b"\0" * 4096 + b"\r\n"),
        ("fill bytes", "jpeg", encoded("jpeg") + b"\xff" * 100),
        ("a few strays", "jpeg", encoded("jpeg") + NOISE[:40]),
        ("a newline", "png", encoded("png") + b"\n"),
        ("a motion photo", "jpeg", encoded("jpeg") + A_VIDEO),
        (
            "a thumbnail in EXIF",
            "jpeg",
            jpeg_with(0xE1, EXIF + b"II\x2a\0" + encoded("jpeg", quality=20)),
        ),
        (
            "XMP",
            "jpeg",
            jpeg_with(
                0xE1,
                XMP + b"<rdf:RDF><xmpRights:UsageTerms>see <a"
                b" href='http://x.example'>here</a></xmpRights:UsageTerms></rdf:RDF>",
            ),
        ),
        (
            "a text about scripts",
            "png",
            png_with(
                b"tEXt", b"Description\0The actor reads the script; 5 < 6 <% of 100 %> onload"
            ),
        ),
        ("a drawing's source", "png", png_with(b"tEXt", b"mxfile\0%3Cmxfile%3E%3Cdiagram%3E")),
        ("a broken text", "png", png_with(b"zTXt", b"Comment\0\0not packed at all")),
        (
            "the start of a ZIP by chance",
            "jpeg",
            jpeg_with(0xE1, EXIF + b"PK\x03\x04" + NOISE[:100]),
        ),
        ("a cut file", "jpeg", encoded("jpeg")[:-200]),
        ("no end mark", "jpeg", encoded("jpeg")[:-2]),
        ("a comment", "gif", gif_with(0xFE, b"Created with GIMP")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cameras_and_editors_write_is_forgiven(name: str, kind: str, data: bytes) -> None:
    """Further pictures, known trailers, padding and harmless texts are no payload."""
    assert search(data, kind) is None


@pytest.mark.slow
def test_real_photographs_carry_nothing(shared_data: Path) -> None:
    """None of the captured photographs of people, groups and things is mistaken for malicious."""
    files = [file for file in (shared_data / "faces").rglob("*.*") if file.suffix != ".csv"]

    found = {
        str(file): search(file.read_bytes(), (Pillow.open(file).format or "").lower())
        for file in files
    }

    assert len(found) > 250
    assert {file: what for file, what in found.items() if what} == {}


@given(st.sampled_from(KINDS), st.integers(0, 400), st.binary(max_size=80), st.integers(0, 5000))
def test_damaged_files_never_stop_the_search(kind: str, at: int, patch: bytes, length: int) -> None:
    """Whatever bytes stand where, the search ends with an answer."""
    data = bytearray(encoded(kind))
    data[at : at + len(patch)] = patch
    search(bytes(data[:length] if length < 2500 else data), kind)


@pytest.mark.slow
def test_hostile_sizes_cost_no_time() -> None:
    """A file of nothing but tiny blocks, markers or boxes is searched in the time of its bytes."""
    size = 4_000_000
    hostile = {
        "jpeg": b"\xff\xd8" + b"\xff\xfe\0\2" * (size // 4),
        "png": encoded("png")[:33] + (struct.pack(">I", 0) + b"abCd" + b"\0" * 4) * (size // 12),
        "gif": encoded("gif")[:13] + b"\x21\xfe\1a\0" * (size // 5),
        "webp": b"RIFF" + struct.pack("<I", size) + b"WEBP" + b"abcd\0\0\0\0" * (size // 8),
        "avif": struct.pack(">I", 8) + b"ftyp" + (struct.pack(">I", 8) + b"free") * (size // 8),
    }
    started = time.process_time()

    for kind, data in hostile.items():
        search(data, kind)
        search(
            data + b"\xff\xd8\xff" * 1000 + b"PK\x03\x04" * 100_000 + b"\x1f\x8b\x08\0" * 20_000,
            kind,
        )

    assert time.process_time() - started < 30


@pytest.mark.slow
def test_pictures_only_carry_what_they_show() -> None:
    """
    Of a thousand files of random bytes behind a JPEG header none is taken for a payload.

    None looks like a script or an archive by chance.
    """
    head, source = encoded("jpeg")[:-2], random.Random(3)

    found = [
        search(
            head + b"\xff\xe5" + struct.pack(">H", 60_002) + source.randbytes(60_000) + b"\xff\xd9",
            "jpeg",
        )
        for _ in range(300)
    ]

    assert set(found) == {None}
