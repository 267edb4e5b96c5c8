"""Draw the pictures of the store benchmark, the same ones for the same number."""

from __future__ import annotations

import io
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

SHAPES = ((0.60, (300, 600)), (0.30, (900, 1200)), (0.10, (2000, 2000)))
"""Share of the corpus and range of widths; heights are 1.5 times as much."""

BLOCK = 50
"""Pictures drawn by one task, from one seed: a copy has its original in the same block. 45 are
JPEG, a quarter of them progressive, 4 WebP, 1 PNG."""


def build(folder: Path, count: int) -> list[str]:
    """Draw `count` files, or take those that are there; return their names, mixed."""
    listing = folder / f"corpus-{count}.json"
    if not listing.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor() as pool:
            names = [
                name
                for block in pool.map(_block, [folder] * (count // BLOCK), range(count // BLOCK))
                for name in block
            ]
        np.random.default_rng(1).shuffle(names)
        listing.write_text(json.dumps(names))
    return list(json.loads(listing.read_text()))


def _block(folder: Path, block: int) -> list[str]:
    rng = np.random.default_rng(block)
    names = []
    first: Image.Image | None = None
    data = b""
    for place in range(BLOCK):
        kind = "jpg" if place < 45 else "webp" if place < 49 else "png"
        if place in (5, 15, 25) and first is not None and block % 6:  # near copies
            target = io.BytesIO()
            first.resize((int(first.width * 0.7), int(first.height * 0.7))).save(
                target, "JPEG", quality=70
            )
            data = target.getvalue()
        elif place in (6, 26):  # exact copies
            pass
        elif place == 7:  # cut off
            data = _encode(_draw(rng), "jpg", rng)[:-2000]
        elif place == 8 and block % 2 == 0:  # no picture at all
            data = b"<!DOCTYPE html><html><body>Not found</body></html>" * 20
        else:
            picture = _draw(rng, small=kind == "png")
            if first is None or place in (10, 20):
                first = picture
            data = _encode(picture, kind, rng)
        name = f"{block:05d}-{place:02d}.{kind}"
        (folder / name).write_bytes(data)
        names.append(name)
    return names


def _draw(rng: np.random.Generator, *, small: bool = False) -> Image.Image:
    """Draw smooth colours with some grain: about 1.7 bits per pixel as JPEG, like photographs."""
    share = rng.random()
    least, most = (
        SHAPES[0][1] if small or share < 0.60 else SHAPES[1][1] if share < 0.90 else SHAPES[2][1]
    )
    width = int(rng.integers(least, most + 1))
    height = width * 3 // 2
    colours = Image.fromarray(rng.integers(0, 255, (9, 6, 3), dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    grain = rng.normal(0, 7, (height, width, 1)).astype(np.int16)
    return Image.fromarray(
        np.clip(np.asarray(colours).astype(np.int16) + grain, 0, 255).astype(np.uint8)
    )


def _encode(picture: Image.Image, kind: str, rng: np.random.Generator) -> bytes:
    target = io.BytesIO()
    if kind == "jpg":
        picture.save(target, "JPEG", quality=85, progressive=bool(rng.random() < 0.25))
    elif kind == "webp":
        picture.save(target, "WEBP", quality=80, method=2)
    else:
        picture.save(target, "PNG", compress_level=3)
    return target.getvalue()
