"""What somebody hid in a picture file is found."""

from __future__ import annotations

import gzip
import struct
import zlib

import pytest

from celebcollect.checks.payload import search
from celebcollect.pictures.decode import is_picture
from checks.payloads import (
    A_PROGRAM,
    A_VIDEO,
    AN_ELF,
    EXIF,
    NOISE,
    XMP,
    a_tar,
    an_archive,
    announcing,
    encoded,
    gif_with,
    jpeg_with,
    png_with,
    webp_with,
)


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
            announcing(jpeg_with(0xFE, b"<script>1</script>")),
            "embedded_script",
        ),
        (
            "noise behind a second picture",
            "jpeg",
            announcing(encoded("jpeg")) + NOISE,
            "trailing_data",
        ),
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


HIDDEN = {
    "script": (b"<?php system(1); ?><script>alert(1)</script>" * 230, "embedded_script"),
    "page": (b"<html><body onload='x()'>" + NOISE.replace(b"\xff", b"\0"), "embedded_script"),
    "document": (b"%PDF-1.7 1 0 obj<<>>endobj" * 300, "embedded_archive"),
    "program": (A_PROGRAM, "embedded_archive"),
    "archive": (b"7z\xbc\xaf\x27\x1c\0\4" + b"\1" * 9000, "embedded_archive"),
    "key": (b"-----BEGIN RSA PRIVATE KEY-----\n" * 300, "trailing_data"),
    "database": (b"SQLite format 3\0" * 600, "trailing_data"),
}


def behind_the_pixels(place: str, hidden: bytes) -> tuple[str, bytes]:
    """Return the kind and the bytes of a picture that decodes as if nothing were in it."""
    if place == "png":
        packed = zlib.compress(b"".join(b"\0" + bytes(96) for _ in range(32))) + hidden
        chunks = b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in (
                (b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)),
                (b"IDAT", packed[:100]),
                (b"IDAT", packed[100:]),
                (b"IEND", b""),
            )
        )
        return "png", b"\x89PNG\r\n\x1a\n" + chunks
    if place == "gif":
        data = encoded("gif")  # ends with the last block, an empty one and the trailer
        blocks = (hidden[at : at + 255] for at in range(0, len(hidden), 255))
        more = b"".join(bytes((len(block),)) + block for block in blocks)
        return "gif", data[:-2] + more + b"\0\x3b"
    if place == "webp":
        data = encoded("webp")
        size = struct.pack("<I", len(data) - 20 + len(hidden))
        body = data[12:16] + size + data[20:] + hidden + b"\0" * (len(hidden) & 1)
        return "webp", b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
    if place == "avif":
        data = encoded("avif")
        at = data.index(b"mdat") - 4
        size = struct.pack(">I", len(data) - at + len(hidden))
        return "avif", data[:at] + size + data[at + 4 :] + hidden
    if place == "between two scans":
        data = encoded("jpeg", progressive=True)
        at = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
        following = data.rindex(b"\xff\xc4", 0, at)
        return "jpeg", data[:following] + hidden + data[following:]
    data = encoded("jpeg", progressive=place == "progressive")
    return "jpeg", data[:-2] + hidden + b"\xff\xd9"


PLACES = ("baseline", "progressive", "between two scans", "png", "gif", "webp", "avif")


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("place", PLACES)
def test_what_decoders_skip_behind_the_last_pixel_is_searched(place: str, name: str) -> None:
    """The picture is shown as if nothing were there; what is there is found."""
    hidden, reason = HIDDEN[name]
    kind, data = behind_the_pixels(place, hidden)

    found = search(data, kind)

    assert is_picture(data, max_pixels=10**6)
    assert found is not None
    assert found[0] == reason
