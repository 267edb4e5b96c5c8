"""Write files whole or not at all, make folders durable, and put the disk's errors into words."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from celebcollect.domain.errors import StorageError

PART = ".part"
"""How the name of a file ends that is not complete yet."""

_FULL = "The disk is full: make room, then run the same command again."
_RIGHTS = "You must be allowed to write to this folder and everything in it."
_HINTS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: "Your disk quota is used up: make room, then run the same command again.",
    errno.EFBIG: "The file is larger than the file system or `ulimit -f` allows.",
    errno.EROFS: "The disk is mounted read-only.",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.ENAMETOOLONG: "Choose a folder with a shorter path.",
    errno.EXDEV: "The folder and everything in it must lie on one disk.",
    errno.ENOTDIR: "A file stands where a folder must be: move it away.",
    errno.EIO: "The disk failed; see the system's log.",
    errno.EMFILE: "Too many files are open: raise `ulimit -n`.",
}


@contextmanager
def disk_errors(
    action: str,
    path: Path,
    *,
    hint: str = "Check the disk and the rights on the folder.",
    hints: Mapping[int, str] | None = None,
    passing: tuple[type[OSError], ...] = (),
) -> Iterator[None]:
    """
    Turn an OSError of the block into a StorageError: `cannot <action> <path>: <reason>`.

    Args:
        action: A verb: what the block does with the path.
        path: The file or folder as the user knows it.
        hint: What to do about errors that have no hint of their own.
        hints: Hints by error number, in place of the general ones.
        passing: Errors that the caller handles, such as FileNotFoundError.

    Raises:
        StorageError: The disk refuses.
    """
    try:
        yield
    except passing:
        raise
    except OSError as error:
        number = error.errno or 0
        reason = error.strerror or type(error).__name__
        raise StorageError(
            f"cannot {action} {path}: {reason}",
            hint=(hints or {}).get(number) or _HINTS.get(number, hint),
        ) from error


@contextmanager
def atomic_file(file: Path) -> Iterator[BinaryIO]:
    """
    Yield a file to write, which replaces `file` at the end of the block, durable on return.

    When the block raises, `file` stays as it was. A process that dies in the block leaves a part,
    see `remove_parts`. The folder must exist.

    Raises:
        OSError: The disk refuses; see `disk_errors`.
    """
    part = file.with_name(f".{file.name}.{secrets.token_hex(8)}{PART}")
    try:
        with create(part) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    sync_folder(file.parent)


def write_file(file: Path, data: bytes) -> None:
    """Write a small file whole or not at all, durable on return; see `atomic_file`."""
    with atomic_file(file) as out:
        out.write(data)


def create(file: Path, *, mode: int = 0o666) -> BinaryIO:
    """
    Open a file to write that must not exist yet; a symbolic link in its place is not followed.

    Raises:
        FileExistsError: Something has this name.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(file, flags, mode), "wb")


def parts_of(file: Path) -> Iterator[Path]:
    """Yield the parts of a file that processes are writing, or left behind when they died."""
    before = f".{file.name}."
    with suppress(FileNotFoundError, NotADirectoryError):
        for entry in sorted(file.parent.iterdir()):
            if entry.name.startswith(before) and entry.name.endswith(PART):
                yield entry


def remove_parts(file: Path) -> None:
    """Remove the parts of a file. Hold a lock that every writer of the file takes."""
    for part in parts_of(file):
        part.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents where they are missing; those made are durable on return."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
    sync_folder(folder.parent)


def sync_file(file: Path) -> None:
    """Make the content of a file durable."""
    _sync(file, os.O_RDWR)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable (fsync(2): syncing a file does not sync its entry)."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
