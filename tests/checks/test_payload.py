"""Payloads: what is hidden in a picture is found, what cameras and editors write is not mistaken for it."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import time
import zipfile
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from celebcollect.checks.payload import search

KINDS = ("jpeg", "png", "gif", "webp", "avif")


@cache
def encoded(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    Pillow.fromarray(pixels).resize((160, 120)).save(out, kind, **options)
    return out.getvalue()


def jpeg_with(marker: int, body: bytes, **options: object) -> bytes:
    data = encoded("jpeg", **options)
    return data[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body + data[2:]


def png_with(kind: bytes, body: bytes) -> bytes:
    data = encoded("png")
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return data[:33] + chunk + data[33:]


def gif_with(label: int, body: bytes) -> bytes:
    data = encoded("gif")
    blocks = b"".join(
        bytes((len(body[at : at + 255]),)) + body[at : at + 255] for at in range(0, len(body), 255)
    )
    return data[:-1] + b"\x21" + bytes((label,)) + blocks + b"\0" + b"\x3b"


def webp_with(kind: bytes, body: bytes) -> bytes:
    data = encoded("webp")
    chunks = data[12:] + kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def an_archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.bat", "echo hello\n" * 50)
    return out.getvalue()


def a_tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo("run.sh")
        entry.size = 5
        archive.addfile(entry, io.BytesIO(b"hello"))
    return out.getvalue()


NOISE = random.Random(7).randbytes(5000)
A_PROGRAM = b"MZ" + b"\0" * 58 + struct.pack("<I", 128) + b"\0" * 64 + b"PE\0\0" + b"\0" * 200
AN_ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 60
A_VIDEO = (
    struct.pack(">I", 24)
    + b"ftypmp42\0\0\0\0mp42isom"
    + struct.pack(">I", 1008)
    + b"mdat"
    + NOISE[:1000]
)
EXIF = b"Exif\0\0"
XMP = (
    b"http://ns.adobe.com/xap/1.0/\0<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta"
    b" xmlns:x='adobe:ns:meta/'>"
)


def test_ordinary_pictures_of_every_format_carry_nothing() -> None:
    """What Pillow writes is clean, baseline and progressive, with and without an animation, profile or EXIF."""
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
    ("name", "kind", "data", "reason"),
    [
        (
            "php comment",
            "jpeg",
            jpeg_with(0xFE, b"<?php system($_GET['c']); ?>"),
            "embedded_script",
        ),
        ("short php comment", "jpeg", jpeg_with(0xFE, b"<?=`id`?>"), "embedded_script"),
        (
            "script in EXIF",
            "jpeg",
            jpeg_with(0xE1, EXIF + b"MM\0\x2a" + b"\0" * 40 + b"<ScRiPt>alert(1)</sCrIpT>"),
            "embedded_script",
        ),
        (
            "UTF-16 script in EXIF",
            "jpeg",
            jpeg_with(0xE1, EXIF + b"UNICODE\0" + "<script src=x>".encode("utf-16-le")),
            "embedded_script",
        ),
        (
            "script in XMP",
            "jpeg",
            jpeg_with(0xE1, XMP + b"<dc:title>&lt;script&gt;alert(1)</dc:title>"),
            "embedded_script",
        ),
        ("entity in XMP", "jpeg", jpeg_with(0xE1, XMP + b"<!ENTITY lol 'lol'>"), "embedded_script"),
        (
            "event in a comment",
            "jpeg",
            jpeg_with(0xFE, b"<img src=x onerror=alert(1)>"),
            "embedded_script",
        ),
        (
            "script in a profile",
            "jpeg",
            jpeg_with(0xE2, b"ICC_PROFILE\0\1\1" + b"\0" * 128 + b"javascript:alert(1)"),
            "embedded_script",
        ),
        (
            "script in a later segment",
            "jpeg",
            encoded("jpeg", progressive=True)[:-2] + b"\xff\xfe\0\x12<script>x=1</s>\xff\xd9",
            "embedded_script",
        ),
        (
            "document in a comment",
            "jpeg",
            jpeg_with(0xFE, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"),
            "embedded_archive",
        ),
        ("ZIP behind", "jpeg", encoded("jpeg") + an_archive(), "embedded_archive"),
        ("ZIP behind noise", "jpeg", encoded("jpeg") + NOISE + an_archive(), "embedded_archive"),
        ("ZIP in a segment", "jpeg", jpeg_with(0xEF, an_archive()), "embedded_archive"),
        ("RAR behind", "jpeg", encoded("jpeg") + b"Rar!\x1a\x07\x01\0" + NOISE, "embedded_archive"),
        (
            "7z behind",
            "png",
            encoded("png") + b"7z\xbc\xaf\x27\x1c\0\4" + NOISE,
            "embedded_archive",
        ),
        ("gzip behind", "png", encoded("png") + gzip.compress(b"hello" * 99), "embedded_archive"),
        ("tar behind", "gif", encoded("gif") + a_tar(), "embedded_archive"),
        ("program behind", "jpeg", encoded("jpeg") + A_PROGRAM, "embedded_archive"),
        ("ELF behind", "webp", encoded("webp") + AN_ELF, "embedded_archive"),
        (
            "page behind",
            "jpeg",
            encoded("jpeg") + b"\n<html><body>404</body></html>",
            "embedded_script",
        ),
        ("tiny script behind", "jpeg", encoded("jpeg") + b"<?=`$_GET[0]`?>", "embedded_script"),
        (
            "script in a second picture",
            "jpeg",
            encoded("jpeg") + jpeg_with(0xFE, b"<script>1</script>"),
            "embedded_script",
        ),
        ("noise behind a second picture", "jpeg", encoded("jpeg") * 2 + NOISE, "trailing_data"),
        ("noise behind a JPEG", "jpeg", encoded("jpeg") + NOISE, "trailing_data"),
        ("noise behind a PNG", "png", encoded("png") + NOISE, "trailing_data"),
        ("noise behind a GIF", "gif", encoded("gif") + NOISE, "trailing_data"),
        ("noise behind a WebP", "webp", encoded("webp") + NOISE, "trailing_data"),
        ("noise behind an AVIF", "avif", encoded("avif") + NOISE, "trailing_data"),
        ("video behind a PNG", "png", encoded("png") + A_VIDEO, "trailing_data"),
        (
            "script in a PNG text",
            "png",
            png_with(b"tEXt", b"Comment\0<script>alert(1)</script>"),
            "embedded_script",
        ),
        (
            "packed script in a PNG",
            "png",
            png_with(b"zTXt", b"Comment\0\0" + zlib.compress(b"<script>alert(1)</script>")),
            "embedded_script",
        ),
        (
            "international script in a PNG",
            "png",
            png_with(b"iTXt", b"XML\0\1\0\0\0" + zlib.compress(b"<svg onload=alert(1)>")),
            "embedded_script",
        ),
        (
            "php palette in a PNG",
            "png",
            png_with(b"PLTE", b"<?php eval($_POST[1]);?>   "),
            "embedded_script",
        ),
        ("ZIP in a private chunk", "png", png_with(b"prVt", an_archive()), "embedded_archive"),
        (
            "bomb in a PNG text",
            "png",
            png_with(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 17 * 1024 * 1024)),
            "bomb",
        ),
        (
            "bomb in a PNG profile",
            "png",
            png_with(b"iCCP", b"icc\0\0" + zlib.compress(b"\0" * 17 * 1024 * 1024)),
            "bomb",
        ),
        (
            "a JPEG of empty blocks behind its pixels",
            "jpeg",
            encoded("jpeg")[:-2] + b"\xff\xe5\0\2" * 100_001 + b"\xff\xd9",
            "bomb",
        ),
        (
            "a GIF of empty frames",
            "gif",
            encoded("gif")[:-1] + b"\x2c\0\0\0\0\1\0\1\0\0\2\0" * 100_001 + b"\x3b",
            "bomb",
        ),
        (
            "script in a GIF comment",
            "gif",
            gif_with(0xFE, b"<script>alert(1)</script>"),
            "embedded_script",
        ),
        (
            "php in a GIF extension",
            "gif",
            gif_with(0xFF, b"<?php phpinfo(); ?>"),
            "embedded_script",
        ),
        (
            "JavaScript GIF",
            "gif",
            encoded("gif")[:6] + b"/*" + encoded("gif")[8:] + b"*/=1;alert(1)",
            "embedded_script",
        ),
        (
            "script in a WebP",
            "webp",
            webp_with(b"XMP ", b"<x:xmpmeta><script>alert(1)</script></x:xmpmeta>"),
            "embedded_script",
        ),
        (
            "script in an AVIF",
            "avif",
            encoded("avif") + struct.pack(">I", 33) + b"uuid<script>alert(1)</script>",
            "embedded_script",
        ),
        ("a page", "jpeg", b"<html><body>not a picture</body></html>", "not_an_image"),
        ("another format", "jpeg", encoded("png"), "not_an_image"),
        ("an unknown format", "xpm", b"/* XPM */", "not_an_image"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hidden_things_are_found(name: str, kind: str, data: bytes, reason: str) -> None:
    """Scripts, archives, programs, trailing data and bombs are found wherever they hide."""
    found = search(data, kind)

    assert found is not None
    assert found[0] == reason, found


def samsung(body: bytes) -> bytes:
    return (
        body
        + b"SEFH"
        + struct.pack("<III", 107, 1, 0)
        + b"\0" * 12
        + struct.pack("<I", 28)
        + b"SEFT"
    )


@pytest.mark.parametrize(
    ("name", "kind", "data"),
    [
        ("padding", "jpeg", encoded("jpeg") + b"\0" * 4096 + b"\r\n"),
        ("fill bytes", "jpeg", encoded("jpeg") + b"\xff" * 100),
        ("a few strays", "jpeg", encoded("jpeg") + NOISE[:40]),
        ("a newline", "png", encoded("png") + b"\n"),
        (
            "several pictures",
            "jpeg",
            encoded("jpeg") + b"\0" * 7 + encoded("jpeg", quality=50) + encoded("jpeg", quality=30),
        ),
        (
            "a gain map",
            "jpeg",
            jpeg_with(0xE2, b"MPF\0MM\0\x2a\0\0\0\x08") + encoded("jpeg", quality=20),
        ),
        ("a motion photo", "jpeg", encoded("jpeg") + A_VIDEO),
        (
            "a motion photo of Samsung",
            "jpeg",
            encoded("jpeg") + samsung(b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data" + A_VIDEO),
        ),
        (
            "notes of Photo Mechanic",
            "jpeg",
            encoded("jpeg") + NOISE[:200] + struct.pack(">I", 200) + b"cbipcbbl",
        ),
        (
            "notes of FotoStation",
            "jpeg",
            encoded("jpeg") + NOISE[:200] + struct.pack(">HI", 1, 210) + b"\xa1\xb2\xc3\xd4",
        ),
        ("notes of Canon", "jpeg", encoded("jpeg") + b"CANON OPTIONAL DATA\0" + NOISE[:300]),
        ("notes of AFCP", "jpeg", encoded("jpeg") + NOISE[:200] + b"AXS!" + b"\0" * 8),
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


def test_pictures_only_carry_what_they_show() -> None:
    """Sample: of a thousand files of random bytes behind a JPEG header none looks like a script or an archive by chance."""
    head, source = encoded("jpeg")[:-2], random.Random(3)

    found = [
        search(
            head + b"\xff\xe5" + struct.pack(">H", 60_002) + source.randbytes(60_000) + b"\xff\xd9",
            "jpeg",
        )
        for _ in range(300)
    ]

    assert set(found) == {None}
