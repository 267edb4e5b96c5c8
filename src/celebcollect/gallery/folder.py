"""The folder of a page: only ours is written to, and readers see the old page or the new one, whole."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from celebcollect.domain.errors import Busy, StorageError, UsageError

MARK = ".celebcollect-gallery"
"""File that says that a folder is ours to write to; it is the lock of the writer, too."""

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
    with told("write in", folder):
        if folder.exists() and not folder.is_dir():
            raise UsageError(
                f"{folder} is no folder", hint="Name another one: celebcollect gallery DIR"
            )
        if folder.exists() and not is_ours(folder) and any(folder.iterdir()):
            raise UsageError(
                f"{folder} is not empty and no former gallery",
                hint="Name another folder: celebcollect gallery DIR",
            )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).touch()
        lock = FileLock(folder / f"{MARK}.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise Busy(
                f"somebody else is writing the gallery {folder}",
                hint="Wait for it, or name another folder.",
            ) from None
    try:
        yield
    finally:
        lock.release()


def is_ours(folder: Path) -> bool:
    """Tell whether a folder is that of a page."""
    return (folder / MARK).is_file()


@contextmanager
def new_data(folder: Path) -> Iterator[Path]:
    """Yield a new folder for the data of a page; it is removed again when the block raises."""
    data = folder / f"data-{secrets.token_hex(8)}"
    with told("make", data):
        data.mkdir()
    try:
        yield data
    except BaseException:
        shutil.rmtree(data, ignore_errors=True)
        raise


def publish(folder: Path, data: Path, index: str) -> None:
    """Make the page with this data the one that readers see, then remove the data of former ones."""
    temporary = folder / f"{INDEX}.part"
    with told("write", folder / INDEX):
        temporary.write_text(index, encoding="utf-8")
        temporary.replace(folder / INDEX)
        for old in folder.iterdir():
            if _DATA.fullmatch(old.name) and old != data:
                shutil.rmtree(old)


@contextmanager
def told(what: str, path: Path) -> Iterator[None]:
    """Turn what the disk says into a StorageError that names the path."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot {what} {path}: {error.strerror or type(error).__name__}",
            hint="Check the disk and the rights on the folder.",
        ) from error
