"""Files that would cost much to decode, and why each is refused."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from picture_web import picture


def png(
    width: int,
    height: int,
    *chunks: tuple[bytes, bytes],
    depth: int = 8,
    colour: int = 0,
    interlace: int = 0,
) -> bytes:
    """Build a PNG out of chunks, its header saying whatever is wanted."""
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))
    parts = (header, *chunks, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


def vp8x(width: int, height: int) -> bytes:
    """Build the head of a WebP whose canvas is as large as is said."""
    body = (
        b"WEBPVP8X"
        + struct.pack("<I", 10)
        + b"\x02\0\0\0"
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def scans(count: int) -> bytes:
    """Build a progressive JPEG that says its last scan again and again."""
    whole = picture(1, (64, 64), progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * count + b"\xff\xd9"


def hidden_scans(count: int) -> bytes:
    """
    Build the same with a marker that has no length.

    Who takes the next bytes for one jumps over all scans, to a harmless head at the end.
    """
    whole = scans(count)[2:]
    harmless = (
        b"\xff\xc0\0\x11\x08\0\x40\0\x40\3\1\x22\0\2\x11\1\3\x11\1"
        + b"\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0\x3f\0"
    )
    return b"\xff\xd8\xff\xd0" + struct.pack(">H", 2 + len(whole)) + whole + harmless


ROWS = zlib.compress(b"\0" * 101 * 100)


def with_segments(*segments: tuple[int, bytes], count: int) -> bytes:
    """Build a JPEG with segments (marker, content) before its tables, again and again."""
    whole = picture(1, (64, 64))
    packed = b"".join(
        b"\xff" + bytes([marker]) + struct.pack(">H", 2 + len(content)) + content
        for marker, content in segments
    )
    return whole[:2] + packed * count + whole[2:]


def with_extensions(blocks: bytes) -> bytes:
    """Build a GIF with extension blocks before its picture."""
    whole = picture(1, (64, 64), "GIF", "P")
    start = 13 + (3 << ((whole[10] & 7) + 1))
    return whole[:start] + blocks + whole[start:]


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "PNG of 4 gigapixels": (
        lambda: png(65_535, 65_535, (b"IDAT", zlib.compress(b"\0" * 1000))),
        "too_many_pixels",
    ),
    "PNG of the largest size there is": (
        lambda: png(2**31 - 1, 2**31 - 1, (b"IDAT", b"")),
        "too_many_pixels",
    ),
    "PNG of no width": (lambda: png(0, 10, (b"IDAT", b"")), "corrupt"),
    "PNG whose pixels never come": (
        lambda: png(9_000, 9_000, (b"IDAT", zlib.compress(b""))),
        "truncated",
    ),
    "PNG whose ICC profile is a bomb": (
        lambda: png(
            100, 100, (b"iCCP", b"x\0\0" + zlib.compress(b"\0" * 50_000_000)), (b"IDAT", ROWS)
        ),
        "corrupt",
    ),
    "PNG whose text is a bomb": (
        lambda: png(
            100, 100, (b"zTXt", b"x\0\0" + zlib.compress(b"\0" * 50_000_000)), (b"IDAT", ROWS)
        ),
        "corrupt",
    ),
    "PNG whose late text is a bomb": (
        lambda: png(
            100, 100, (b"IDAT", ROWS), (b"iTXt", b"x\0\1\0\0\0" + zlib.compress(b"\0" * 50_000_000))
        ),
        "corrupt",
    ),
    "GIF of 4 gigapixels": (
        lambda: b"GIF89a\xff\xff\xff\xff\0\0\0" + b",\0\0\0\0\x01\0\x01\0\0\x02\x02L\x01\0;",
        "too_many_pixels",
    ),
    "GIF whose frame is larger than its screen": (
        lambda: b"GIF89a\x01\0\x01\0\0\0\0" + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;",
        "too_many_pixels",
    ),
    "JPEG of 4 gigapixels": (
        lambda: picture(1, (64, 64)).replace(
            b"\0\x11\x08\0\x40\0\x40", b"\0\x11\x08\xff\xff\xff\xff"
        ),
        "too_many_pixels",
    ),
    "JPEG of a thousand scans": (lambda: scans(1000), "corrupt"),
    "JPEG that hides its many scans": (lambda: hidden_scans(150), "corrupt"),
    "WebP canvas of 200 terapixels": (lambda: vp8x(2**24, 2**24), "too_many_pixels"),
    "WebP of 268 megapixels": (
        lambda: b"RIFF\x20\0\0\0WEBPVP8 \x10\0\0\0\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f" + b"\0" * 10,
        "too_many_pixels",
    ),
    "lossless WebP of 268 megapixels": (
        lambda: b"RIFF\x20\0\0\0WEBPVP8L\x10\0\0\0\x2f\xff\xff\xff\x0f" + b"\0" * 10,
        "too_many_pixels",
    ),
    "JPEG of very many empty blocks": (
        lambda: with_segments((0xE5, b""), count=200_000),
        "corrupt",
    ),
    "JPEG of very many comments": (lambda: with_segments((0xFE, b""), count=200_000), "corrupt"),
    "JPEG of nothing but fill bytes": (
        lambda: picture(1)[:2] + b"\xff" * 2_000_000 + picture(1)[2:],
        "corrupt",
    ),
    "JPEG whose EXIF comes in crumbs": (
        lambda: with_segments((0xE1, b"Exif\0\0ab"), count=500_000),
        "corrupt",
    ),
    "JPEG whose EXIF comes in large pieces": (
        lambda: with_segments((0xE1, b"Exif\0\0" + b"a" * 65_000), count=300),
        "corrupt",
    ),
    "PNG of very many empty blocks": (
        lambda: png(100, 100, *[(b"prVt", b"")] * 100_000, (b"IDAT", ROWS)),
        "corrupt",
    ),
    "PNG of very many late texts": (
        lambda: png(100, 100, (b"IDAT", ROWS), *[(b"tEXt", b"x\0")] * 100_000),
        "corrupt",
    ),
    "PNG whose pixels come in crumbs": (
        lambda: png(100, 100, *[(b"IDAT", b"")] * 200_000, (b"IDAT", ROWS)),
        "corrupt",
    ),
    "PNG of a thousand ICC profiles": (
        lambda: png(
            100, 100, *[(b"iCCP", b"x\0\0" + zlib.compress(b"\0" * 2**20))] * 1000, (b"IDAT", ROWS)
        ),
        "corrupt",
    ),
    "GIF of very many comments": (lambda: with_extensions(b"\x21\xfe\x01a\0" * 200_000), "corrupt"),
    "GIF whose comment comes in crumbs": (
        lambda: with_extensions(b"\x21\xfe" + b"\x01a" * 500_000 + b"\0"),
        "corrupt",
    ),
    "a picture above the user's limit": (lambda: picture(1, (1001, 1000)), "too_many_pixels"),
}
