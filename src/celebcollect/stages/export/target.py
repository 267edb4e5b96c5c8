"""The folder that is exported to: whose it is, and files that appear whole or not at all."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from celebcollect.disk.files import disk_errors, make_folder, sync_folder
from celebcollect.disk.locks import check_foreign, locked_folder
from celebcollect.domain.errors import Busy, UsageError
from celebcollect.stages.export.index import INDEX, Index, Layout, Shard, read_index

log = logging.getLogger(__name__)

LOCK = ".celebcollect-export.lock"
PARTS = ".celebcollect-export.parts"
"""Files on their way; hidden, so that no reader takes them for pictures."""


@contextmanager
def opened(folder: Path, layout: Layout, *, crops: bool) -> Iterator[ExportFolder]:
    """
    Yield the folder, made when missing and locked until the end of the block.

    Raises:
        UsageError: It holds something else than an export of this kind.
        Busy: Another process exports to it.
        StorageError: The disk refuses.
    """
    _check(folder, layout, crops=crops)
    busy = Busy(f"another export writes to {folder}", hint="Wait until it ends.")
    with locked_folder(folder, LOCK, busy=lambda: busy):
        # Asked again, now that nobody else can fill it.
        index = _check(folder, layout, crops=crops)
        _clear(folder / PARTS)
        target = ExportFolder(folder, index or Index(layout=layout, crops=crops))
        if index is None:
            target.save(target.index)
        yield target
        _clear(folder / PARTS)


def _clear(parts: Path) -> None:
    with disk_errors("clear", parts), suppress(FileNotFoundError):
        shutil.rmtree(parts)


def _check(folder: Path, layout: Layout, *, crops: bool) -> Index | None:
    hint = "Name a new folder, or one that was exported to before."
    check_foreign(folder, INDEX, former="export", hint=hint, passing=(LOCK, PARTS))
    index = read_index(folder)
    if index and (index.layout, index.crops) != (layout, crops):
        options = f"--format {index.layout}{' --crops' if index.crops else ''}"
        raise UsageError(
            f"{folder} holds an export of another kind", hint=f"Use {options}, or another folder."
        )
    return index


class ExportFolder:
    """
    A locked export folder.

    Paths are texts relative to it with forward slashes, made of splits, QIDs and digests only.
    """

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
        with disk_errors("read", file):
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
        """
        Yield a file to write, which gets its name at the end of the block, durable.

        When the block raises, it never gets it.
        """
        part = self.folder / PARTS / secrets.token_hex(8)
        with disk_errors("write", self.folder / path):
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
        """
        Write pictures: path, bytes, and time in nanoseconds of each.

        They are flushed together, which costs a disk far less than one by one, and then named.
        """
        parts = {}
        for path, data, stamp_ns in pictures:
            parts[path] = part = self.folder / PARTS / secrets.token_hex(8)
            with disk_errors("write", self.folder / path):
                make_folder(part.parent)
                part.write_bytes(data)
                os.utime(part, ns=(stamp_ns, stamp_ns))
        self._settle(parts)

    def _settle(self, parts: Mapping[str, Path]) -> None:
        """Make files durable, then give them their names, then make these durable."""
        for path, part in parts.items():
            with disk_errors("write", self.folder / path), part.open("rb+") as file:
                os.fsync(file.fileno())
        for path, part in parts.items():
            with disk_errors("write", self.folder / path):
                make_folder((self.folder / path).parent)
                part.replace(self.folder / path)
        for folder in {(self.folder / path).parent for path in parts}:
            with disk_errors("write", folder):
                sync_folder(folder)

    def link(self, moves: Mapping[str, str]) -> bool:
        """
        Give files (values) further names (keys), as if all at once.

        Return False, and change nothing, where the disk knows no hard links.
        """
        parts = {path: self.folder / PARTS / secrets.token_hex(8) for path in moves}
        with disk_errors("make", self.folder / PARTS):
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
            with disk_errors("write", self.folder / path):
                part.replace(self.folder / path)
        return True

    def text(self, path: str, data: bytes) -> None:
        """Write a small file, unless it is there with these bytes."""
        with disk_errors("read", self.folder / path), suppress(FileNotFoundError):
            if (self.folder / path).read_bytes() == data:
                return
        with self.writing(path) as file:
            file.write(data)

    def save(self, index: Index) -> None:
        """Write the index."""
        self.text(INDEX, index.to_json())
        self.index = index
