"""What lies in the image folder, whatever it is named, and the place for what does not belong.

Nothing is deleted: `data_dir/lost/` takes it under the path that it had.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from celebcollect.disk.files import make_folder, sync_folder
from celebcollect.images.base import IMAGES, LOST, QUARANTINE
from celebcollect.images.layout import told


def places(root: Path, after: str) -> Iterator[tuple[str, list[str]]]:
    """
    Yield each entry of `images/` and `quarantine/` behind `after`, and the paths of its files.

    A link is a file: it is not followed, wherever it leads.
    """
    for kind in (IMAGES, QUARANTINE):
        folder = root / kind
        with told("read", folder):
            names = sorted(entry.name for entry in os.scandir(folder)) if folder.is_dir() else []
        for name in names:
            place = f"{kind}/{name}"
            if place > after:
                yield place, sorted(_files(root, place))


def _files(root: Path, place: str) -> Iterator[str]:
    path = root / place
    if path.is_symlink() or not path.is_dir():
        yield place
        return
    with told("read", path):
        entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in os.scandir(path)]
    for name, is_folder in entries:
        inside = f"{place}/{name}"
        if is_folder:
            yield from _files(root, inside)
        else:
            yield inside


def set_aside(root: Path, path: str) -> str:
    """
    Move a file to the lost ones and return its path there; one of that name keeps its place.

    Raises:
        FileNotFoundError: It is not there.
        ValueError: The path leads out of the image folder.
    """
    kind, *rest = path.split("/")
    if kind not in (IMAGES, QUARANTINE) or not rest or {"", ".", ".."} & set(rest):
        raise ValueError(f"no path in the image folder: {path!r}")
    source = root / path
    for parent in source.parents:
        if parent == root:
            break
        if parent.is_symlink():
            raise ValueError(f"{parent} is a symbolic link")
    with told("move", source, passing=(FileNotFoundError,)):
        source.lstat()
        target = root / LOST / path
        make_folder(target.parent)
        target = next(name for name in _names(target) if not (name.is_symlink() or name.exists()))
        source.rename(target)
        sync_folder(target.parent)
        sync_folder(source.parent)
    return target.relative_to(root).as_posix()


def bring_back(root: Path, there: str, path: str) -> None:
    """Move a file that was set aside back to its path, unless something is there by now."""
    source, target = root / there, root / path
    with told("move", source), suppress(FileNotFoundError):
        if target.is_symlink() or target.exists():
            return
        make_folder(target.parent)
        source.rename(target)
        sync_folder(target.parent)
        sync_folder(source.parent)


def _names(target: Path) -> Iterator[Path]:
    yield target
    for number in count(2):
        yield target.with_name(f"{target.name}.{number}")
