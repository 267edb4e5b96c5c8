"""What people met elsewhere: odd pictures, from their bytes to a verdict."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from stages.cleaning import World, jpeg, texture


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with_files = World(tmp_path)
    yield with_files
    with_files.close()


def with_exif(data: bytes, *entries: tuple[int, int, int, int]) -> bytes:
    """Put EXIF into a JPEG: entries of tag, type, count and value."""
    body = b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries))
    body += b"".join(struct.pack("<HHII", *entry) for entry in entries) + b"\0" * 40
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def png(mode: str = "RGB", seed: int = 3) -> bytes:
    """Encode a texture as PNG."""
    out = io.BytesIO()
    if mode == "I;16":
        grey = np.asarray(texture(seed).convert("L")).astype(np.uint16) * 200
        Pillow.fromarray(grey).save(out, "PNG")
    else:
        texture(seed).convert(mode).save(out, "PNG")
    return out.getvalue()


def with_chunk(data: bytes, name: bytes, body: bytes, *, wrong: int = 0) -> bytes:
    """Put a chunk behind the head of a PNG."""
    checksum = zlib.crc32(name + body) ^ wrong
    packed = struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)
    return data[:33] + packed + data[33:]


TURNED = (0x0112, 3, 1, 6)
ODD = {
    "maker-is-a-number": with_exif(jpeg(11), (0x010F, 5, 1, 70), TURNED),
    "resolution-is-a-text": with_exif(jpeg(12), TURNED, (0x011A, 2, 3, 0x414141)),
    "brightness-is-a-number": with_exif(jpeg(13), TURNED, (0x9203, 4, 1, 5)),
    "orientation-6": with_exif(jpeg(14), TURNED),
    "no-end-mark": jpeg(15)[:-2],
    "five-bytes-less": jpeg(16)[:-5],
    "text-with-wrong-checksum": with_chunk(png(seed=17), b"tEXt", b"Comment\0abc", wrong=1),
    "profile-of-a-megabyte": with_chunk(
        png(seed=18), b"iCCP", b"p\0\0" + zlib.compress(np.random.default_rng(1).bytes(1_400_000))
    ),
    "grey-of-16-bits-with-transparency": with_chunk(png("I;16", 19), b"tRNS", b"\0\0"),
    "strays": jpeg(20) + np.random.default_rng(2).bytes(300),
    "oneplus": jpeg(21)
    + b"\0\1\2\3\4Phone"
    + (told := b'[{"name": "watermark.device", "offset": 10, "length": 10, "version": 1}]')
    + b"jxrs"
    + struct.pack("<I", len(told) + 8),
    "vivo": jpeg(22)
    + b"streamdata"
    + jpeg(23, side=90)
    + b"streaminfo"
    + bytes(range(60))
    + b'vivo{"ver":2}'
    + b"\0" * 64
    + b"\xff\xff\xff\xff\x1b*9HWfu\x84\x93\xa2\xb1",
}


def test_odd_pictures_stop_nobody_and_are_accepted(world: World) -> None:
    """One for each person, and a bystander; a second cleaning finds nothing to do."""
    for number, (name, data) in enumerate(ODD.items(), 10):
        world.put(f"Q{number}", data, f"https://a.example/{name}")
    world.put("Q99", jpeg(99), "https://a.example/bystander")

    world.run()

    wrong = {url: said for url, said in world.verdicts().items() if said != ("accepted", None)}
    assert wrong == {}
    assert len(world.verdicts()) == len(ODD) + 1
    assert world.run().counts == {}
    world.check_whole()
