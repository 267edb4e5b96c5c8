"""Feed broken pictures of every format to everybody who opens pictures, seeded.

    python benchmarks/fuzz.py [--files 20000] [--seed 1]

Each file is proved and hashed as `store` does. What it accepts goes through whatever opens pictures
later, see `picture_openers.py`. What it refuses goes through them too, as if it had been stored:
files change on disks.

Ends with exit code 1 when anything but results or counted reasons comes out, a file takes longer
than 5 s, or memory exceeds 400 MB. A crash of the process itself (a decoder written in C) would end
it without the table.
"""

from __future__ import annotations

import argparse
import faulthandler
import io
import json
import random
import re
import resource
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from picture_openers import Openers
from PIL import Image
from trailer_seeds import ODD_NUMBERS, trailer_seeds

from celebcollect import runtime

MAX_SECONDS = 5.0
MAX_MB = 400.0

_EXIF = (
    b"Exif\0\0II*\0\x08\0\0\0\x04\0\x0f\x01\x02\0\x02\0\0\0A\0\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
    b"\x1a\x01\x05\0\x01\0\0\0\x3e\0\0\0\x25\x88\x04\0\x01\0\0\0\x46\0\0\0\0\0\0\0"
    b"\x48\0\0\0\x01\0\0\0\x01\0\x01\0\x02\0\x02\0\0\0N\0\0\0\0\0\0\0"
)
_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6" exif:GPSLatitude="1,2N"/>'

FORMATS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("JPEG", "RGB", {"quality": 80}),
    (
        "JPEG",
        "RGB",
        {"quality": 80, "progressive": True, "icc_profile": b"\0" * 3000, "comment": b"comment"},
    ),
    ("JPEG", "CMYK", {}),
    (
        "JPEG",
        "L",
        {"exif": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"},
    ),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {"icc_profile": b"\0" * 3000}),
    ("PNG", "P", {}),
    ("PNG", "1", {}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGBA", {"lossless": True, "icc_profile": b"\0" * 300}),
    ("GIF", "P", {}),
    ("GIF", "P", {"save_all": True}),
    ("WEBP", "RGB", {"save_all": True}),
    ("AVIF", "RGB", {}),
    ("JPEG", "RGB", {"restart_marker_blocks": 2, "exif": _EXIF, "xmp": _XMP}),
    ("PNG", "LA", {"exif": _EXIF}),
    ("PNG", "I;16", {"transparency": 7}),
    ("PNG", "RGB", {"save_all": True}),
    ("GIF", "P", {"transparency": 1, "comment": b"comment"}),
    ("WEBP", "RGB", {"exif": _EXIF, "xmp": _XMP}),
    ("AVIF", "RGBA", {"exif": _EXIF, "xmp": _XMP}),
    ("MPO", "RGB", {"save_all": True}),
    ("TIFF", "RGB", {}),
    ("BMP", "RGB", {}),
)


def seeds() -> list[tuple[str, bytes]]:
    """Draw one small valid file of each kind, and a JPEG (`TAIL`) with each kind of trailer."""
    rng = np.random.default_rng(7)
    files = []
    for kind, mode, options in FORMATS:
        size = (96, 64)
        frames = [
            Image.fromarray(rng.integers(0, 255, (9, 12, 3), dtype=np.uint8))
            .resize(size)
            .convert("I" if mode == "I;16" else mode)
            .convert(mode)
            for _ in range(3)
        ]
        target = io.BytesIO()
        extra = {"append_images": frames[1:]} if options.get("save_all") else {}
        frames[0].save(target, kind, **options, **extra)
        files.append((kind, target.getvalue()))
    return files + [("TAIL", data) for data in trailer_seeds(files[0][1])]


def mutated(files: list[tuple[str, bytes]], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield broken files: bits flipped, numbers made huge, pieces cut, doubled, swapped."""
    rng = random.Random(seed)
    for n in range(count):
        kind, whole = files[n % len(files)]
        data = bytearray(whole)
        for _ in range(rng.choice((1, 1, 2, 3, 8, 30))):
            if kind == "TAIL" and rng.random() < 0.6:
                _mutate_trailer(data, rng)
            else:
                _mutate(data, rng, files)
        # Mended, a broken PNG gets past its checksums and into the decoder.
        yield kind, _mended(bytes(data)) if kind == "PNG" and rng.random() < 0.7 else bytes(data)


def _mended(data: bytes) -> bytes:
    """Return a PNG with the checksums put right of as many chunks as can be followed."""
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        body = data[at + 4 : at + 8 + size]
        parts.append(data[at : at + 4] + body + zlib.crc32(body).to_bytes(4, "big"))
        at += 12 + size
    return b"".join(parts) + data[at:]


_NUMBER = re.compile(rb"\d+")
_TAIL_BYTES = 400


def _mutate_trailer(data: bytearray, rng: random.Random) -> None:
    """Change what a trailer says of itself: a number among its text, or bytes near its end."""
    numbers = list(_NUMBER.finditer(data, max(len(data) - _TAIL_BYTES, 0)))
    if numbers and rng.random() < 0.5:
        found = rng.choice(numbers)
        odd = rng.choice(ODD_NUMBERS)
        data[found.start() : found.end()] = odd
        mark = data.rfind(b"jxrs")
        if mark > found.start():  # the length of the list stands behind it
            length = int.from_bytes(data[mark + 4 : mark + 8], "little")
            longer = max(length + len(odd) - len(found[0]), 0)
            data[mark + 4 : mark + 8] = longer.to_bytes(8, "little")[:4]
    elif data:
        at = len(data) - 1 - rng.randrange(min(len(data), 80))
        data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _mutate(data: bytearray, rng: random.Random, files: list[tuple[str, bytes]]) -> None:
    # Headers are where the numbers are that decoders believe, so half of the mutations go there.
    at = rng.randrange(min(len(data), 200) if rng.random() < 0.5 else len(data)) if data else 0
    match rng.randrange(9):
        case 0 if data:
            data[at] ^= 1 << rng.randrange(8)
        case 1 if data:
            data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        case 2:
            data[at : at + 4] = rng.choice(
                (
                    b"\xff\xff\xff\xff",
                    b"\x7f\xff\xff\xff",
                    b"\0\0\0\0",
                    b"\0\0\xff\xff",
                    b"\x80\0\0\0",
                )
            )
        case 3:
            del data[at:]
        case 4:
            del data[at : at + rng.randrange(1, 200)]
        case 5:
            data[at:at] = data[at : at + rng.randrange(1, 2000)] * rng.randrange(1, 4)
        case 6:
            other = rng.choice(files)[1]
            start = rng.randrange(len(other))
            data[at:at] = other[start : start + rng.randrange(1, 500)]
        case 7:
            data[at:at] = rng.randbytes(rng.randrange(1, 100))
        case _:
            data += rng.randbytes(rng.randrange(1, 100))


@dataclass
class Outcome:
    """What a run did."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    surprises: list[str] = field(default_factory=list)


def run(count: int, seed: int) -> Outcome:
    """Open mutated files in every way, and keep going whatever they do."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        openers = Openers(Path(folder))
        for kind, data in mutated(seeds(), count, seed):
            began = time.perf_counter()
            for opener, result in openers.results(data):
                outcome.counts[f"{opener:9} {kind.lower():5} {result}"] += 1
                if result.startswith("SURPRISE"):
                    outcome.surprises.append(f"{opener} {kind}: {result}")
            took_s = time.perf_counter() - began
            outcome.slowest_s = max(outcome.slowest_s, took_s)
            if took_s > MAX_SECONDS:
                outcome.surprises.append(f"{kind}: {took_s:.1f} s")
    return outcome


def _peak_mb() -> float:
    """Return the most memory this program held; ru_maxrss begins with that of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        return (
            next(
                int(line.split()[1])
                for line in status.read_text().splitlines()
                if line.startswith("VmHWM:")
            )
            / 1024
        )
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run, print the table and judge."""
    runtime.silence_pillow()
    faulthandler.enable()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.perf_counter()
    outcome = run(options.files, options.seed)
    peak_mb = _peak_mb()
    for name, number in sorted(outcome.counts.items()):
        print(f"{number:6} {name}")
    took_s = time.perf_counter() - begun
    facts = {
        "files": options.files,
        "seed": options.seed,
        "seconds": round(took_s, 1),
        "slowest_ms": round(outcome.slowest_s * 1000),
    }
    print(json.dumps({**facts, "peak_mb": round(peak_mb), "surprises": len(outcome.surprises)}))
    for surprise in outcome.surprises[:20]:
        print(surprise)
    if outcome.surprises or peak_mb > MAX_MB:
        sys.exit(1)


if __name__ == "__main__":
    main()
