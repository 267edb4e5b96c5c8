"""The files of former exports that are no longer wanted; everything else in the folder stays."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from celebcollect.disk.files import disk_errors
from celebcollect.stages.export.split import SPLITS

_SIDE = f"(?:{'|'.join(SPLITS)})"
_PICTURE = re.compile(rf"{_SIDE}/Q[1-9][0-9]{{0,11}}/[0-9a-f]{{64}}\.[a-z0-9]{{1,8}}")
_LIST = re.compile(rf"{_SIDE}/metadata\.jsonl")
_SHARD = re.compile(rf"{_SIDE}-[0-9]{{5}}-of-[0-9]{{5}}\.tar")


def remove_stale_files(folder: Path, keep: Collection[str]) -> int:
    """
    Remove the pictures, lists and shards of former exports that are not in `keep`.

    Return how many pictures and shards that were; lists do not count.
    """
    removed = 0
    for path in list(_of_exports(folder)):
        if path not in keep:
            with disk_errors("remove", folder / path), suppress(FileNotFoundError):
                (folder / path).unlink()
                removed += not _LIST.fullmatch(path)
    for side in SPLITS:
        people = [folder / side / name for name in _entries(folder / side)]
        for emptied in (*people, folder / side):
            with suppress(OSError):  # not empty, or no folder
                emptied.rmdir()
    return removed


def _of_exports(folder: Path) -> Iterator[str]:
    """Yield what an export may have written, by its name."""
    for name in _entries(folder):
        if _SHARD.fullmatch(name):
            yield name
    for side in SPLITS:
        if (folder / side).is_symlink():
            continue  # leads somewhere else, where nothing is ours
        for name in _entries(folder / side):
            if _LIST.fullmatch(f"{side}/{name}"):
                yield f"{side}/{name}"
            elif not (folder / side / name).is_symlink():
                yield from _pictures(folder, f"{side}/{name}")


def _pictures(folder: Path, person: str) -> Iterator[str]:
    for file in _entries(folder / person):
        if _PICTURE.fullmatch(path := f"{person}/{file}"):
            yield path


def _entries(folder: Path) -> list[str]:
    with disk_errors("read", folder):
        try:
            return sorted(entry.name for entry in folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
