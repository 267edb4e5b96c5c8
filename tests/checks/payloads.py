"""Picture files with something in them that is no picture."""

from __future__ import annotations

import io
import random
import struct
import tarfile
import zipfile
import zlib
from functools import cache

import numpy as np
from PIL import Image as Pillow


@cache
def encoded(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    Pillow.fromarray(pixels).resize((160, 120)).save(out, kind, **options)
    return out.getvalue()


def jpeg_with(marker: int, body: bytes, **options: object) -> bytes:
    data = encoded("jpeg", **options)
    return data[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body + data[2:]


def announcing(*further: bytes) -> bytes:
    """Return a JPEG with an index of the pictures that follow it (CIPA DC-007), and these."""
    count = len(further) + 1
    entry_bytes = 16 * count

    def segment(first: int, starts: list[int]) -> bytes:
        head = b"MM\0*\0\0\0\x08" + struct.pack(">H", 1)
        head += struct.pack(">HHII", 0xB002, 7, entry_bytes, 26) + b"\0" * 4
        sizes = [first, *map(len, further)]
        places = [0, *starts]
        entries = b"".join(
            struct.pack(">IIIHH", 0, size, place, 0, 0)
            for size, place in zip(sizes, places, strict=True)
        )
        return b"MPF\0" + head + entries

    first = len(jpeg_with(0xE2, segment(0, [0] * len(further))))
    starts, at = [], first - 10  # offsets count from the byte order behind the mark
    for data in further:
        starts.append(at)
        at += len(data)
    return jpeg_with(0xE2, segment(first, starts)) + b"".join(further)


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
