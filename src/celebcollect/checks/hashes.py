"""Compare perceptual hashes: how many of their 64 bits differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from celebcollect.domain.records import Image

Hashes = npt.NDArray[np.uint64]
"""(n,) uint64, one perceptual hash each."""


def comparable(images: Iterable[Image]) -> list[list[Image]]:
    """
    Group images by the version of their hashes.

    Hashes of two versions come from different pixels and say nothing about one another.
    """
    groups: dict[int, list[Image]] = {}
    for image in images:
        if image.phash:
            groups.setdefault(image.phash_version or 0, []).append(image)
    return [groups[version] for version in sorted(groups)]


def hashes_of(images: Sequence[Image]) -> Hashes:
    """Return the hashes of images that have one."""
    return np.array([int(image.phash or "0", 16) for image in images], dtype=np.uint64)


def distances(hashes: Hashes, to: np.uint64) -> npt.NDArray[np.uint8]:
    """Return the Hamming distance of each hash to one, 0 to 64."""
    counted: npt.NDArray[np.uint8] = np.bitwise_count(hashes ^ to)
    return counted
