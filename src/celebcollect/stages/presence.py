"""Ask whether the files of pictures are there at all; a look at each, without reading it."""

from __future__ import annotations

from collections.abc import Collection

from celebcollect.domain.clean_record import CleanRecord
from celebcollect.images.base import IMAGES, ImageStore


def has_pictures(folder: ImageStore) -> bool:
    """
    Tell whether there is any picture at all.

    Where there is none, a disk is not mounted, or files are kept elsewhere: nothing is lost by it.
    """
    # The images come first: a quarantine that is there says nothing about them.
    first, _ = next(folder.places(), ("", []))
    return first.startswith(f"{IMAGES}/")


def lost_among(folder: ImageStore, records: Collection[CleanRecord]) -> set[str]:
    """Return the names of those pictures whose file is gone or has another size."""
    if not has_pictures(folder):
        return set()
    return {record.key for record in records if not _is_there(folder, record)}


def _is_there(folder: ImageStore, record: CleanRecord) -> bool:
    try:
        found = folder.find(record.path)
        if found is None:
            return False
        with folder.local(found) as file:
            return file.stat().st_size == record.bytes
    except (FileNotFoundError, ValueError):
        return False
