"""The folder of a page: only ours is written to, and readers see the old page or the new one."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celebcollect.disk.files import disk_errors, remove_parts, write_file
from celebcollect.disk.locks import check_foreign, locked_folder
from celebcollect.domain.errors import Busy, UsageError

MARK = ".celebcollect-gallery"
"""File that says that a folder is ours to write to."""
LOCK = f"{MARK}.lock"

INDEX = "index.html"

_DATA = re.compile(r"data-[0-9a-f]{16}")


@contextmanager
def opened(folder: Path) -> Iterator[None]:
    """
    Hold the folder for one writer, made when missing.

    Raises:
        UsageError: It holds something else than a former page, or is no folder.
        Busy: Somebody else is writing it.
        StorageError: The disk refuses.
    """
    try:
        str(folder.resolve()).encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{str(folder)!a} is no usable name for a folder",
            hint="Name another one: celebcollect gallery DIR",
        ) from error
    hint = "Name another folder: celebcollect gallery DIR"
    check_foreign(folder, MARK, former="gallery", hint=hint, passing=(LOCK,))
    with locked_folder(folder, LOCK, busy=lambda: _busy(folder)):
        with disk_errors("write in", folder):
            (folder / MARK).touch()
        yield


def _busy(folder: Path) -> Busy:
    return Busy(
        f"somebody else is writing the gallery {folder}",
        hint="Wait for it, or name another folder.",
    )


def is_ours(folder: Path) -> bool:
    """Tell whether a folder is that of a page."""
    return (folder / MARK).is_file()


@contextmanager
def new_data(folder: Path) -> Iterator[Path]:
    """Yield a new folder for the data of a page; it is removed again when the block raises."""
    data = folder / f"data-{secrets.token_hex(8)}"
    with disk_errors("make", data):
        data.mkdir()
    try:
        yield data
    except BaseException:
        shutil.rmtree(data, ignore_errors=True)
        raise


def publish(folder: Path, data: Path, index: str) -> None:
    """Make the page with this data the one that readers see, then remove former data."""
    with disk_errors("write", folder / INDEX):
        remove_parts(folder / INDEX)
        write_file(folder / INDEX, index.encode())
        for old in folder.iterdir():
            if _DATA.fullmatch(old.name) and old != data:
                shutil.rmtree(old)
