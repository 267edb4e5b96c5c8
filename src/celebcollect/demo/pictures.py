"""Make the bytes of the demonstration's pictures, good, copied and broken."""

from __future__ import annotations

import functools
import io
import struct
import zipfile
import zlib

from PIL import Image

from celebcollect.demo.cast import Picture
from celebcollect.demo.drawing import encode, portrait

SCRIPT = b"<?php system($_GET['run']); ?>"


@functools.lru_cache(maxsize=512)
def data(picture: Picture) -> tuple[int, str, bytes]:
    """Return HTTP status, media type and body of a picture URL."""
    number, shot = picture.player.number, picture.shot
    jpeg = functools.partial(_jpeg, number)
    match picture.kind:
        case "good":
            return 200, "image/jpeg", jpeg(shot)
        case "smaller":
            return 200, "image/jpeg", encode(portrait(number, shot, 320))
        case "recompressed":
            return 200, "image/jpeg", encode(portrait(number, shot), quality=72)
        case "html":
            return 200, "image/jpeg", b"<!doctype html><title>Please log in</title><p>Hotlinking is not allowed."
        case "empty":
            return 200, "image/jpeg", b""
        case "truncated-jpeg":
            return 200, "image/jpeg", jpeg(90)[:-4000]
        case "truncated-png":
            return 200, "image/png", encode(portrait(number, 91), "PNG")[:-30000]
        case "bomb":
            return 200, "image/png", _bomb()
        case "svg-script":
            return 200, "image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
        case "tiny":
            return 200, "image/jpeg", encode(portrait(number, 92, 48))
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


def _jpeg(number: int, shot: int) -> bytes:
    return encode(portrait(number, shot))


def _archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("payload.txt", "harmless")
    return out.getvalue()


def _bomb() -> bytes:
    """Return a PNG of a few bytes that says it is 30,000 x 30,000 pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 4096)) + chunk(b"IEND", b"")


def size_px(picture: Picture) -> tuple[int, int]:
    """Return width and height as a search engine would tell them; what is no picture gets a plausible size."""
    status, _, body = data(picture)
    if status == 200 and picture.kind in ("good", "smaller", "recompressed", "tiny"):
        with Image.open(io.BytesIO(body)) as image:
            return image.size
    return 480, 480
