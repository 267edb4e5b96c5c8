"""Make the bytes of the demonstration's pictures, good, copied and broken."""

from __future__ import annotations

import functools
import io
import struct
import zipfile
import zlib

from PIL import Image, ImageFilter

from celebcollect.demo.drawing import encode, portrait
from celebcollect.demo.planted import PlantedPicture
from celebcollect.demo.scenes import group, landscape

SCRIPT = b"<?php system($_GET['run']); ?>"


THUMBNAIL_PX = 112
"""Large enough to be kept, too small for a face of `[clean] min_face_px`."""
LARGER_PX = 624
"""1.3 times as large as others: of two copies this one is kept."""


@functools.lru_cache(maxsize=512)
def data(picture: PlantedPicture) -> tuple[int, str, bytes]:
    """Return HTTP status, media type and body of a picture URL."""
    drawn = _drawn(picture)
    if drawn:
        return 200, "image/jpeg", encode(drawn, quality=QUALITY.get(picture.kind, 90))
    jpeg = functools.partial(_jpeg, picture)
    match picture.kind:
        case "html":
            return (
                200,
                "image/jpeg",
                b"<!doctype html><title>Please log in</title><p>Hotlinking is not allowed.",
            )
        case "empty":
            return 200, "image/jpeg", b""
        case "truncated-jpeg":
            return 200, "image/jpeg", jpeg(90)[:-4000]
        case "truncated-png":
            return 200, "image/png", encode(portrait(picture.shown[0], 91), "PNG")[:-30000]
        case "bomb":
            return 200, "image/png", _bomb()
        case "svg-script":
            return (
                200,
                "image/svg+xml",
                b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
            )
        case "php-tail":
            return 200, "image/jpeg", jpeg(93) + SCRIPT
        case "zip-tail":
            return 200, "image/jpeg", jpeg(94) + _archive()
        case "missing":
            return 404, "text/html", b"<h1>Gone</h1>"
        case "server-error":
            return 500, "text/html", b"<h1>Sorry</h1>"
        case "text":
            return 200, "image/jpeg", b"this is no picture\n" * 40
    raise ValueError(f"nobody knows how to make a picture of kind {picture.kind!r}")


QUALITY = {"recompressed": 72}
"""Of the JPEG, where it is not 90."""


def _drawn(picture: PlantedPicture) -> Image.Image | None:
    """Return the pixels of a picture that can be looked at."""
    person, shot = next(iter(picture.shown), 0), picture.shot
    match picture.kind:
        case "portrait" | "recompressed":
            return portrait(person, shot)
        case "smaller":
            return portrait(person, shot, 320)
        case "larger":
            return portrait(person, shot, LARGER_PX)
        case "thumbnail":
            return portrait(person, shot, THUMBNAIL_PX)
        case "tiny":
            return portrait(person, 92, 48)
        case "group":
            return group(picture.shown, shot)
        case "landscape":
            return landscape(shot)
        case "blank":
            return Image.new("RGB", (480, 480), (96, 120, 150))
        case "blurred":
            return portrait(person, 95).filter(ImageFilter.GaussianBlur(14))
        case "strip":
            return portrait(person, 96).crop((0, 180, 480, 290))
    return None


def _jpeg(picture: PlantedPicture, shot: int) -> bytes:
    return encode(portrait(picture.shown[0], shot))


def _archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("payload.txt", "harmless")
    return out.getvalue()


def _bomb() -> bytes:
    """Return a PNG of a few bytes that says it is 30,000 x 30,000 pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 4096))
        + chunk(b"IEND", b"")
    )
