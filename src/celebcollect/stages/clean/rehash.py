"""Hash anew what a former version of the program hashed.

Hashes of two versions are never compared, so a person's old pictures have no copies among the new
ones until they are hashed as these are. That happens when the person is next cleaned. A picture
whose file is gone, or is no longer what was stored, keeps its old hash: it is thrown out for that,
and is hashed as soon as the file is back. One that today's decoder refuses is tried once, and has
no hash from then on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from celebcollect.checks.unforeseen import Unforeseen, about_one_picture
from celebcollect.domain.cores import available_cores
from celebcollect.domain.records import Image
from celebcollect.images.base import ImageStore
from celebcollect.pictures.decode import inspect
from celebcollect.pictures.essentials import essentials
from celebcollect.pictures.exif import UPRIGHT, orientation, told_orientation
from celebcollect.pictures.formats import NotAPicture
from celebcollect.pictures.hash import PHASH_VERSION

_GROWN = 4
"""How many times more pixels than its row says a picture may turn out to have."""

_BATCH = 64


def rehashed(
    images: Mapping[str, Image],
    folder: ImageStore,
    *,
    measured: Callable[[Mapping[str, Image]], None],
) -> dict[str, Image]:
    """
    Return a person's rows with hashes of today, wherever their file is what was stored.

    Args:
        images: By id.
        folder: Where their files are.
        measured: Is handed all rows now and then, to keep what has changed; may raise to stop.

    Raises:
        StorageError: A file cannot be read.
    """
    now = dict(images)
    old: dict[str, list[str]] = {}
    for id_, image in images.items():
        if image.phash_version != PHASH_VERSION and image.path and image.sha256:
            old.setdefault(image.sha256, []).append(id_)
    if not old:
        return now
    with ThreadPoolExecutor(available_cores(), "rehash") as threads:
        waiting = iter(old.values())
        while batch := list(islice(waiting, _BATCH)):
            rows = [now[ids[0]] for ids in batch]
            found = threads.map(lambda row: _hash_anew(row, folder), rows)
            for ids, update in zip(batch, found, strict=True):
                for id_ in ids if update else ():
                    now[id_] = now[id_].model_copy(update=update)
            measured(now)
    return now


def _hash_anew(image: Image, folder: ImageStore) -> dict[str, object]:
    """Return what changes in a row; nothing where its file is not what was stored."""
    path = image.path or ""
    try:
        data = folder.read(folder.find(path) or path)
    except (FileNotFoundError, ValueError):
        return {}
    if hashlib.sha256(data).hexdigest() != image.sha256:
        return {}
    update: dict[str, object] = {"phash_version": PHASH_VERSION}
    try:
        with about_one_picture("rehash", image.id):
            if not _looks_as_it_lies(image, data):
                pixels = (image.width_px or 1) * (image.height_px or 1)
                update["phash"] = inspect(data, max_pixels=_GROWN * pixels).phash
            return update | ({"facts": {}} if _was_seen_otherwise(data) else {})
    except (NotAPicture, Unforeseen):
        return update | {"phash": None}  # tried in this version, and compared with nothing


def _looks_as_it_lies(image: Image, data: bytes) -> bool:
    """Tell whether version 1 saw what people see, so that its hash is today's."""
    if image.phash_version != 1 or image.format != "jpeg" or not image.phash:
        return False
    exif = essentials("JPEG", data).exif
    return exif is not None and orientation(exif) == UPRIGHT


_TIFF = re.compile(rb"II\*\0|MM\0\*")
_EXIF_LOOKED_AT, _EXIF_BYTES = 4, 65_536
_TOLD_BY_XMP = re.compile(rb"tiff:Orientation(?:\s*=\s*[\"']|>)\s*([0-9])")


def _was_seen_otherwise(data: bytes) -> bool:
    """
    Tell whether former versions showed the picture in another way, so that nothing measured holds.

    They turned it by XMP where EXIF did not, by texts of ImageMagick and by odd EXIF, and had grey
    of 16 bits with transparency in white. Photoshop and Lightroom write into XMP what is in EXIF,
    or 1.
    """
    if b"Raw profile type" in data:
        return True
    if data[:4] == b"\x89PNG" and (
        (data[24:26] == b"\x10\0" and b"tRNS" in data) or b"XML:com.adobe.xmp\0\1" in data
    ):
        return True
    starts = (found.start() for found in islice(_TIFF.finditer(data), _EXIF_LOOKED_AT))
    by_exif = {told_orientation(data[at : at + _EXIF_BYTES]) for at in starts}
    by_xmp = {int(value) for value in _TOLD_BY_XMP.findall(data)}
    return 0 in by_exif or not by_xmp <= {UPRIGHT, *by_exif}
