"""What near-duplicate hashes recall of altered copies, and how near different pictures come."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont, ImageOps

from celebcollect.checks.base import Picture
from celebcollect.config.sections import CleanConfig
from celebcollect.pictures.decode import inspect
from celebcollect.pictures.hash import perceptual_hash


def bench_copies(pictures: Sequence[Picture]) -> None:
    """Print how many altered copies the hash recognises, and how near different pictures come."""
    bits = CleanConfig().near_duplicate_bits
    found: dict[str, list[bool]] = {}
    for picture in pictures[::2]:
        own = int(picture.image.phash or "0", 16)
        for name, pixels, quality in variants(Pillow.open(picture.file).convert("RGB")):
            out = io.BytesIO()
            pixels.save(out, "JPEG", quality=quality)
            found.setdefault(name, []).append(
                (own ^ int(inspect(out.getvalue(), max_pixels=10**9).phash, 16)).bit_count() <= bits
            )
    for name, hits in found.items():
        print(f"  {name:<18} recall {sum(hits) / len(hits):.3f} of {len(hits)} at {bits} bits")
    # Halves are different pictures too: with them there are enough pairs.
    hashes = [int(picture.image.phash or "0", 16) for picture in pictures]
    hashes += [
        int(perceptual_hash(half), 16)
        for picture in pictures
        for half in halves(Pillow.open(picture.file).convert("L"))
    ]
    apart = [(one ^ other).bit_count() for one, other in combinations(hashes, 2)]
    print(
        f"  different pictures: {sum(distance <= bits for distance in apart)} of"
        f" {len(apart):,} pairs within, nearest {min(apart)} bits"
    )


def variants(pixels: Pillow.Image) -> Iterator[tuple[str, Pillow.Image, int]]:
    """Yield name, pixels and JPEG quality of altered copies."""
    width, height = pixels.size
    yield "recompressed q40", pixels, 40
    yield "recompressed q20", pixels, 20
    for factor in (0.75, 0.5, 1.5):
        if min(width, height) * factor >= 100:
            yield (
                f"resized to {factor:.0%}",
                pixels.resize(
                    (round(width * factor), round(height * factor)), Pillow.Resampling.LANCZOS
                ),
                85,
            )
    for part in (0.05, 0.10):
        box = (
            round(width * part / 2),
            round(height * part / 2),
            round(width * (1 - part / 2)),
            round(height * (1 - part / 2)),
        )
        yield f"cropped by {part:.0%}", pixels.crop(box), 85
    barred = pixels.copy()
    barred.paste((255, 255, 255), (0, round(height * 0.9), width, height))
    yield "bar over a tenth", barred, 85
    yield "text in a corner", marked(pixels, share=0.35, centre=(0.8, 0.95), opacity=1.0), 85
    yield "text in the middle", marked(pixels, share=0.8, centre=(0.5, 0.5), opacity=0.5), 85
    yield "mirrored", ImageOps.mirror(pixels), 85
    yield "greyscale", pixels.convert("L"), 85
    yield (
        "recoloured",
        Pillow.fromarray(np.clip(np.asarray(pixels) * [1.15, 1, 0.85], 0, 255).astype(np.uint8)),
        85,
    )


def marked(
    pixels: Pillow.Image, *, share: float, centre: tuple[float, float], opacity: float
) -> Pillow.Image:
    """Return the picture with a white text; width and place are shares of its sides."""
    width, height = pixels.size
    text = "agency.example"
    size = 100 * share * width / ImageFont.load_default(100).getlength(text)
    mask = Pillow.new("L", pixels.size)
    place = (width * centre[0], height * centre[1])
    ImageDraw.Draw(mask).text(
        place, text, fill=round(255 * opacity), font=ImageFont.load_default(size), anchor="mm"
    )
    result = pixels.copy()
    result.paste((255, 255, 255), mask=mask)
    return result


def halves(pixels: Pillow.Image) -> Iterator[Pillow.Image]:
    """Yield the left and the right half of a picture."""
    width, height = pixels.size
    yield pixels.crop((0, 0, width // 2, height))
    yield pixels.crop((width // 2, 0, width, height))
