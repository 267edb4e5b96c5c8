"""The folder that is exported to: whose it is, files that appear whole or not at all, and what goes away again."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from celebcollect.disk.files import make_folder, sync_folder
from celebcollect.domain.errors import Busy, StorageError, UsageError
from celebcollect.stages.export.index import INDEX, Index, Layout, Shard, read_index, told
from celebcollect.stages.export.split import SPLITS

log = logging.getLogger(__name__)

LOCK = ".celebcollect-export.lock"
PARTS = ".celebcollect-export.parts"
"""Files on their way; hidden, so that no reader takes them for pictures."""

_SIDE = f"(?:{'|'.join(SPLITS)})"
_PICTURE = re.compile(rf"{_SIDE}/Q[1-9][0-9]{{0,11}}/[0-9a-f]{{64}}\.[a-z0-9]{{1,8}}")
_LIST = re.compile(rf"{_SIDE}/metadata\.jsonl")
_SHARD = re.compile(rf"{_SIDE}-[0-9]{{5}}-of-[0-9]{{5}}\.tar")


@contextmanager
def opened(folder: Path, layout: Layout, *, crops: bool) -> Iterator[Target]:
    """
    Yield the folder, made when missing and locked until the end of the block.

    Raises:
        UsageError: It holds something else than an export of this kind.
        Busy: Another process exports to it.
        StorageError: The disk refuses.
    """
    _check(folder, layout, crops=crops)
    with told("make", folder):
        try:
            make_folder(folder.absolute())
        except FileNotFoundError as error:  # a file system that takes no folders, such as /proc
            raise StorageError(
                f"cannot make {folder}: {error.strerror}",
                hint="Name a folder that you may write to.",
            ) from error
        lock = FileLock(folder / LOCK)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise Busy(f"another export writes to {folder}", hint="Wait until it ends.") from None
    try:
        # Asked again, now that nobody else can fill it.
        index = _check(folder, layout, crops=crops)
        with told("clear", folder / PARTS), suppress(FileNotFoundError):
            shutil.rmtree(folder / PARTS)
        target = Target(folder, index or Index(layout=layout, crops=crops))
        if index is None:
            target.save(target.index)
        yield target
        with told("clear", folder / PARTS), suppress(FileNotFoundError):
            shutil.rmtree(folder / PARTS)
    finally:
        lock.release()


def _check(folder: Path, layout: Layout, *, crops: bool) -> Index | None:
    with told("read", folder):
        if folder.exists() and not folder.is_dir():
            raise UsageError(
                f"{folder} is no folder",
                hint="Name a new folder, or one that was exported to before.",
            )
    index = read_index(folder)
    if index is None:
        with told("read", folder), suppress(FileNotFoundError):
            foreign = next(
                (entry.name for entry in folder.iterdir() if entry.name not in (LOCK, PARTS)), None
            )
            if foreign:
                raise UsageError(
                    f"{folder} is not empty and no former export: it holds {foreign!r}",
                    hint="Name an empty or a new folder.",
                )
    elif (index.layout, index.crops) != (layout, crops):
        options = f"--format {index.layout}{' --crops' if index.crops else ''}"
        raise UsageError(
            f"{folder} holds an export of another kind", hint=f"Use {options}, or another folder."
        )
    return index


class Target:
    """A locked export folder. Paths are texts relative to it with forward slashes, made of splits, QIDs and digests only."""

    def __init__(self, folder: Path, index: Index) -> None:
        self.folder = folder
        self.index = index

    def holds(self, path: str, stamp_ns: int, whole: tuple[int, str] | None) -> bool:
        """
        Tell whether a picture is there already, by its time.

        Where size and SHA-256 are known (`whole`), the size must be right too; with another time,
        the bytes decide, and the time is set right.
        """
        file = self.folder / path
        with told("read", file):
            try:
                status = file.lstat()
                if not stat.S_ISREG(status.st_mode) or (whole and status.st_size != whole[0]):
                    return False
                if status.st_mtime_ns == stamp_ns:
                    return True
                if whole is None:
                    return False
                with file.open("rb") as data:
                    if hashlib.file_digest(data, "sha256").hexdigest() != whole[1]:
                        return False
                os.utime(file, ns=(stamp_ns, stamp_ns))
            except (FileNotFoundError, NotADirectoryError):
                return False
        return True

    def unchanged(self, path: str, shard: Shard) -> bool:
        """Tell whether a shard is there as it was written."""
        try:
            status = (self.folder / path).lstat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (shard.bytes, shard.mtime_ns)

    @contextmanager
    def writing(self, path: str) -> Iterator[BinaryIO]:
        """Yield a file to write; it gets its name at the end of the block, durable, and never when the block raises."""
        part = self.folder / PARTS / secrets.token_hex(8)
        with told("write", self.folder / path):
            make_folder(part.parent)
            try:
                with part.open("xb") as out:
                    yield out
                self._settle({path: part})
            except BaseException:
                with suppress(OSError):
                    part.unlink()
                raise

    def put(self, pictures: Sequence[tuple[str, bytes, int]]) -> None:
        """Write pictures (path, bytes, time in nanoseconds); flushed together, which costs a disk far less than one by one, then named."""
        parts = {}
        for path, data, stamp_ns in pictures:
            parts[path] = part = self.folder / PARTS / secrets.token_hex(8)
            with told("write", self.folder / path):
                make_folder(part.parent)
                part.write_bytes(data)
                os.utime(part, ns=(stamp_ns, stamp_ns))
        self._settle(parts)

    def _settle(self, parts: Mapping[str, Path]) -> None:
        """Make files durable, then give them their names, then make these durable."""
        for path, part in parts.items():
            with told("write", self.folder / path), part.open("rb+") as file:
                os.fsync(file.fileno())
        for path, part in parts.items():
            with told("write", self.folder / path):
                make_folder((self.folder / path).parent)
                part.replace(self.folder / path)
        for folder in {(self.folder / path).parent for path in parts}:
            with told("write", folder):
                sync_folder(folder)

    def link(self, moves: Mapping[str, str]) -> bool:
        """Give files (values) further names (keys), as if all at once; return False, and change nothing, where the disk knows no hard links."""
        parts = {path: self.folder / PARTS / secrets.token_hex(8) for path in moves}
        with told("make", self.folder / PARTS):
            make_folder(self.folder / PARTS)
        try:
            for path, old in moves.items():
                parts[path].hardlink_to(self.folder / old)
        except OSError as error:
            log.info(
                "files are written again, for they cannot be linked folder=%s error=%s",
                self.folder,
                error.strerror,
            )
            return False  # what was linked goes with the folder of parts
        for path, part in parts.items():
            with told("write", self.folder / path):
                part.replace(self.folder / path)
        return True

    def text(self, path: str, data: bytes) -> None:
        """Write a small file, unless it is there with these bytes."""
        with told("read", self.folder / path), suppress(FileNotFoundError):
            if (self.folder / path).read_bytes() == data:
                return
        with self.writing(path) as file:
            file.write(data)

    def save(self, index: Index) -> None:
        """Write the index."""
        self.text(INDEX, index.to_json())
        self.index = index

    def remove_others(self, keep: Collection[str]) -> int:
        """Remove the pictures, lists and shards of former exports that are not in `keep`; return how many pictures and shards. All else stays."""
        removed = 0
        for path in list(self._ours()):
            if path not in keep:
                with told("remove", self.folder / path), suppress(FileNotFoundError):
                    (self.folder / path).unlink()
                    removed += not _LIST.fullmatch(path)
        for side in SPLITS:
            for folder in (
                *(self.folder / side / name for name in _entries(self.folder / side)),
                self.folder / side,
            ):
                with suppress(OSError):  # not empty, or no folder
                    folder.rmdir()
        return removed

    def _ours(self) -> Iterator[str]:
        """Yield what an export may have written, by its name."""
        for name in _entries(self.folder):
            if _SHARD.fullmatch(name):
                yield name
        for side in SPLITS:
            if (self.folder / side).is_symlink():
                continue  # leads somewhere else, where nothing is ours
            for name in _entries(self.folder / side):
                if _LIST.fullmatch(f"{side}/{name}"):
                    yield f"{side}/{name}"
                elif not (self.folder / side / name).is_symlink():
                    yield from (
                        path
                        for file in _entries(self.folder / side / name)
                        if _PICTURE.fullmatch(path := f"{side}/{name}/{file}")
                    )


def _entries(folder: Path) -> list[str]:
    with told("read", folder):
        try:
            return sorted(entry.name for entry in folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
