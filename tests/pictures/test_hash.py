"""Hashes: the same pixels have those of ImageHash, copies are near and other pictures far."""

from __future__ import annotations

import io
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image

from celebcollect.pictures.decode import inspect
from celebcollect.pictures.hash import perceptual_hash, reduced
from picture_web import picture
from pictures.refusals import MAX_PIXELS


@pytest.mark.slow
def test_the_hash_is_the_one_of_imagehash_on_real_photographs(shared_data: Path) -> None:
    """Bit for bit the same as ImageHash's on the same pixels, over all captured photographs."""
    files = sorted(
        file
        for file in (shared_data / "faces").rglob("*")
        if file.suffix.lower() in (".jpg", ".jpeg", ".png")
    )[::4]
    assert len(files) > 50
    for file in files:
        with Image.open(file) as expected:
            expected.draft("L", (64, 64))
            oracle = str(imagehash.phash(reduced(expected)))

        assert inspect(file.read_bytes(), max_pixels=MAX_PIXELS).phash == oracle


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK", "P"])
def test_the_hash_is_the_one_of_imagehash_in_every_mode(mode: str) -> None:
    """
    Colour, grey, transparency, print colours and palettes are hashed as ImageHash does it.

    Small pictures are not reduced.
    """
    for seed in range(20):
        drawn = Image.open(io.BytesIO(picture(seed, (90, 130), "PNG"))).convert(mode)

        assert perceptual_hash(drawn) == str(imagehash.phash(drawn))


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def test_copies_are_near_and_others_far() -> None:
    """A smaller, recompressed copy in another format stays within 6 bits; other pictures do not."""
    hashes = []
    for seed in range(20):
        data = picture(seed, (600, 450), quality=95)
        copy = io.BytesIO()
        Image.open(io.BytesIO(data)).resize((300, 225)).save(copy, "WEBP", quality=60)
        hashes.append(inspect(data, max_pixels=MAX_PIXELS).phash)

        assert distance(hashes[-1], inspect(copy.getvalue(), max_pixels=MAX_PIXELS).phash) <= 6

    assert (
        min(distance(one, other) for place, one in enumerate(hashes) for other in hashes[:place])
        > 6
    )


def test_pictures_of_16_bits_are_told_apart() -> None:
    """Values above 255 are scaled, not cut to white."""
    hashes = set()
    for seed in range(5):
        grey = (
            np.asarray(Image.open(io.BytesIO(picture(seed, (90, 90), "PNG", "L"))), dtype=np.uint16)
            * 257
        )
        target = io.BytesIO()
        Image.fromarray(grey).save(target, "PNG")

        hashes.add(inspect(target.getvalue(), max_pixels=MAX_PIXELS).phash)

    assert len(hashes) == 5
