"""Gather what the checks need to know of one person's pictures.

That is their files, who else has them, and which of them are trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby
from typing import Protocol
from urllib.parse import unquote

from celebcollect.catalogue.base import Images, People
from celebcollect.checks.base import Check, Comparing, FileReason, Picture, Rejection
from celebcollect.domain.records import Celebrity, Image
from celebcollect.domain.terms import Portrait
from celebcollect.images.base import ImageStore
from celebcollect.sources.registry import installed


class PictureCatalogue(Images, People, Protocol):
    """What is asked about pictures: who else has them, and whose portraits are trusted."""


def gather(
    catalogue: PictureCatalogue,
    folder: ImageStore,
    checks: Sequence[Check],
    qid: str,
    images: Mapping[str, Image],
    held: ExitStack,
) -> tuple[list[Picture], dict[str, Rejection]]:
    """
    Return the pictures of a person's rows, and rejections of rows without a usable path.

    Their files may be read until `held` is closed.
    """
    elsewhere = _elsewhere(catalogue, checks, qid, images.values())
    portraits = _Portraits(
        catalogue.people({qid, *(other.qid for others in elsewhere.values() for other in others)})
    )
    pictures, lost = [], {}
    for image in images.values():
        others = tuple(elsewhere.get(image.id, ()))
        try:
            path = image.path or ""
            file = held.enter_context(folder.local(folder.find(path) or path))
        except ValueError as error:
            lost[image.id] = Rejection(image.id, FileReason.FILE_MISSING, detail=str(error)[:200])
            continue
        known = any(portraits.rank(other) is not None for other in others)
        pictures.append(
            Picture(
                image,
                file,
                others,
                reference=portraits.rank(image),
                referenced_elsewhere=known,
                documented=_documented(image.source),
            )
        )
    return pictures, lost


def _documented(source: str) -> int:
    finder = installed().find(source)
    return finder.trust.documented if finder else 0


def _elsewhere(
    catalogue: Images, checks: Sequence[Check], qid: str, images: Collection[Image]
) -> dict[str, list[Image]]:
    """
    Return other people's rows that have the same bytes or a similar hash, by image id.

    The catalogue is asked once for all pictures.
    """
    wanted = [check.elsewhere_bits for check in checks if isinstance(check, Comparing)]
    if not wanted:
        return {}
    bits = max(wanted)
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


class _Portraits:
    """Knows which pictures are trusted to show whom they are said to show."""

    def __init__(self, people: Iterable[Celebrity]) -> None:
        self._titles = {
            person.qid: {
                _title(portrait.partition("Special:FilePath/")[2]) for portrait in person.portraits
            }
            for person in people
        }

    def rank(self, image: Image) -> int | None:
        """Return how much a picture is trusted; see `checks.base.Picture.reference`."""
        finder = installed().find(image.source)
        match finder.trust.portrait if finder else Portrait.NONE:
            case Portrait.NAMED:
                page = (image.page_url or "").partition("File:")[2]
                return 0 if page and _title(page) in self._titles.get(image.qid, ()) else None
            case Portrait.FIRST:
                return 1 if image.rank == 0 else None
            case Portrait.NONE:
                return None


def _title(encoded: str) -> str:
    """Return a file's name as MediaWiki compares it: no underscores, the first letter large."""
    name = " ".join(unquote(encoded).replace("_", " ").split())
    return name[:1].upper() + name[1:]
