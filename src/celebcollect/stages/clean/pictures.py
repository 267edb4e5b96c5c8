"""Gather what the checks need to know of one person's pictures.

That is their files, who else has them, and which of them are trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from celebcollect.catalogue.base import Images, Notes, People
from celebcollect.checks.base import RESTORED, Check, Comparing, FileReason, Picture, Rejection
from celebcollect.domain.records import Image
from celebcollect.images.base import ImageStore
from celebcollect.sources.registry import installed
from celebcollect.stages.clean.acquaintance import Acquaintance
from celebcollect.stages.clean.portraits import Portraits

SAME_PHOTOGRAPH_BITS = 6
"""Two people whose faces are alike and who have a photograph in common, up to so many bits of its
hash, are one person with certainty enough to keep their pictures out. Different photographs differ
in 12 and more."""


class PictureCatalogue(Images, People, Notes, Protocol):
    """What is asked about pictures: who else has them, and whose portraits are trusted."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the checks and the comparison with other people begin with."""

    pictures: list[Picture]
    lost: dict[str, Rejection]
    """Of rows without a usable path, by image id."""
    known: Acquaintance
    """Which rows of other people each picture concerns."""


def gather(
    catalogue: PictureCatalogue,
    folder: ImageStore,
    checks: Sequence[Check],
    qid: str,
    images: Mapping[str, Image],
    held: ExitStack,
) -> Gathered:
    """
    Return the pictures of a person's rows, and who else is concerned by them.

    Their files may be read until `held` is closed.
    """
    bits = max(
        (check.elsewhere_bits for check in checks if isinstance(check, Comparing)), default=0
    )
    wide = max(bits, SAME_PHOTOGRAPH_BITS)
    elsewhere = _elsewhere(catalogue, checks, qid, images.values(), bits=wide)
    portraits = Portraits(
        catalogue, {qid, *(other.qid for others in elsewhere.values() for other in others)}
    )
    known = Acquaintance(images, elsewhere, lambda image: portraits.rank(image) is not None)
    is_asked_for = _same(bits)
    pictures, lost = [], {}
    for image in images.values():
        others = tuple(other for other in elsewhere.get(image.id, ()) if is_asked_for(image, other))
        try:
            path = image.path or ""
            file = held.enter_context(folder.local(folder.find(path) or path))
        except ValueError as error:
            lost[image.id] = Rejection(image.id, FileReason.FILE_MISSING, detail=str(error)[:200])
            continue
        rank = portraits.rank(image)
        pictures.append(
            Picture(
                image,
                file,
                others,
                reference=RESTORED if rank is None and image.restored_from else rank,
                referenced_elsewhere=any(portraits.rank(other) is not None for other in others),
                documented=_documented(image.source),
            )
        )
    return Gathered(pictures, lost, known)


def _documented(source: str) -> int:
    finder = installed().find(source)
    return finder.trust.documented if finder else 0


def _elsewhere(
    catalogue: Images,
    checks: Sequence[Check],
    qid: str,
    images: Collection[Image],
    *,
    bits: int,
) -> dict[str, list[Image]]:
    """
    Return other people's rows that have the same bytes or a similar hash, by image id.

    The catalogue is asked once for all pictures.
    """
    if not any(isinstance(check, Comparing) for check in checks):
        return {}
    found = {
        other.id: other
        for other in catalogue.with_bytes({image.sha256 for image in images if image.sha256})
    }
    for version, group in groupby(sorted(images, key=_hash_version), key=_hash_version):
        phashes = {image.phash for image in group if image.phash}
        found |= {
            other.id: other for other in catalogue.similar(phashes, version=version, bits=bits)
        }
    others = [other for other in found.values() if other.qid != qid]
    is_same = _same(bits)
    return (
        {image.id: [other for other in others if is_same(image, other)] for image in images}
        if others
        else {}
    )


def _hash_version(image: Image) -> int:
    return image.phash_version or 0


def _same(bits: int) -> Callable[[Image, Image], bool]:
    def is_same(image: Image, other: Image) -> bool:
        if image.sha256 == other.sha256:
            return True
        if not image.phash or not other.phash or image.phash_version != other.phash_version:
            return False
        return (int(image.phash, 16) ^ int(other.phash, 16)).bit_count() <= bits

    return is_same
