"""The image folder: files named by their content, written whole or not at all, moved to quarantine and never deleted.

    data_dir/images/<QID>/<sha256>.<ext>       pictures that wait for `clean` or were accepted
    data_dir/quarantine/<QID>/<sha256>.<ext>   pictures that `clean` rejected
    data_dir/tmp/<host>-<pid>-<start>-<random>.part

Several processes, also of several machines on a shared folder, may work on it at once. It knows
nothing of the catalogue.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from celebcollect.disk import owners
from celebcollect.disk.files import disk_errors, make_folder, sync_file, sync_folder

IMAGES, QUARANTINE, TEMPORARY = "images", "quarantine", "tmp"

FOREIGN_TEMPORARY_S = 3600.0
"""Age at which a temporary file of another machine counts as left behind: no download takes that
long."""

_PATH = re.compile(r"(images|quarantine)/(Q[1-9][0-9]{0,11})/([0-9a-f]{64}\.[a-z0-9]{1,8})")


class ImageFolder:
    """
    The pictures under `data_dir`. Thread-safe; folders are made when first needed.

    Paths are texts relative to `data_dir` with forward slashes, as the catalogue keeps them. Every
    method raises ValueError for a text that is no such path, and StorageError when the disk
    refuses.
    """

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir

    @property
    def root(self) -> Path:
        """Return the folder that holds all of them, which is `data_dir`."""
        return self._root

    def put(self, qid: str, sha256: str, extension: str, data: bytes) -> str:
        """Write one picture and return its path; durable on return. Writes nothing when the file is there already."""
        with self.batch() as batch:
            return batch.put(qid, sha256, extension, data)

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """
        Yield a `Batch` to put pictures into; at the end of the block they appear under their names, durable.

        One flush for many pictures. When the block raises, none of them appear.
        """
        batch = Batch(self)
        try:
            yield batch
            batch.settle()
        finally:
            batch.discard()

    def file(self, path: str) -> Path:
        """
        Return where a file lies, whether it exists or not.

        Raises:
            ValueError: The text is no path of ours, or leads through a symbolic link.
        """
        file = self._root.joinpath(*_parts(path))
        # A link inside our folders, whoever put it there, could lead a read or a write anywhere.
        with _told("look for", file):
            for part in (file, file.parent, file.parent.parent):
                if part.is_symlink():
                    raise ValueError(
                        f"{part} is a symbolic link, and pictures are only kept in plain folders"
                    )
        return file

    def place(self, path: str, *, quarantined: bool) -> str:
        """
        Make sure that a file is in quarantine, or in the images, and nowhere else; return its path there.

        Does nothing when it is there already. One rename, so that a crash leaves it in one of the
        two places.

        Raises:
            FileNotFoundError: It is in neither place.
        """
        _, qid, name = _parts(path)
        there = "/".join((QUARANTINE if quarantined else IMAGES, qid, name))
        here = "/".join((IMAGES if quarantined else QUARANTINE, qid, name))
        source, target = self.file(here), self.file(there)
        with _told("move", source):
            # Looked for first, so that no empty folder is made for a file that is gone or in its
            # place.
            if source.exists():
                make_folder(target.parent)
                # Where both exist they hold the same bytes, because their digest is their name.
                with suppress(FileNotFoundError):
                    source.replace(target)
                sync_folder(target.parent)
                sync_folder(source.parent)
            found = target.exists()
        if not found:
            raise FileNotFoundError(
                errno.ENOENT, "neither among the images nor in quarantine", there
            )
        return there

    def remove(self, path: str) -> None:
        """Remove one file for good, wherever it lies, among the images or in quarantine; durable on return. One that is gone is no error."""
        _, qid, name = _parts(path)
        for kind in (IMAGES, QUARANTINE):
            file = self.file(f"{kind}/{qid}/{name}")
            with _told("remove", file), suppress(FileNotFoundError):
                file.unlink()
                sync_folder(file.parent)

    def files(self) -> Iterator[str]:
        """
        Yield the path of every picture on the disk, in no particular order; what is not named like one is passed over.

        A file lies here a moment before the catalogue knows it, so a young one without a row is not
        yet an orphan.
        """
        for kind in (IMAGES, QUARANTINE):
            for folder in _entries(self._root / kind, folders=True):
                for name in _entries(self._root / kind / folder, folders=False):
                    path = f"{kind}/{folder}/{name}"
                    if _PATH.fullmatch(path):
                        yield path

    def forget(self, qid: str) -> int:
        """Remove everything in a person's folders for good, whatever it is named; return how many files. A link is removed, not followed."""
        removed = 0
        for kind in (IMAGES, QUARANTINE):
            folder = self._root / kind / qid
            if not _PATH.fullmatch(f"{kind}/{qid}/{'0' * 64}.jpg"):
                raise ValueError(f"no QID: {qid!r}")
            with _told("remove", folder), suppress(FileNotFoundError):
                if folder.is_symlink():
                    folder.unlink()
                elif folder.is_dir():
                    removed += sum(1 for file in folder.rglob("*") if not file.is_dir())
                    shutil.rmtree(folder)
                sync_folder(folder.parent)
        return removed

    def sweep(self) -> int:
        """Remove temporary files of dead processes of this machine, and old ones of other machines; return how many."""
        swept = 0
        for name in _entries(self._root / TEMPORARY, folders=False):
            file = self._root / TEMPORARY / name
            if name.endswith(".part") and _left_behind(file):
                with _told("remove", file), suppress(FileNotFoundError):
                    file.unlink()
                    swept += 1
        return swept

    def temporary(self) -> Path:
        """Return a new name for a temporary file, in a folder that exists."""
        folder = self._root / TEMPORARY
        with _told("make", folder):
            make_folder(folder)
        owner = owners.this_owner().replace("|", "-")
        return folder / f"{owner}-{secrets.token_hex(8)}.part"


class Batch:
    """Pictures on their way into the folder: written to temporary files, not yet under their names. Thread-safe."""

    def __init__(self, folder: ImageFolder) -> None:
        self._folder = folder
        self._waiting: list[tuple[Path, Path]] = []
        self._there: list[Path] = []

    def put(self, qid: str, sha256: str, extension: str, data: bytes) -> str:
        """Write a picture to a temporary file and return the path that it will have."""
        path = f"{IMAGES}/{qid}/{sha256}.{extension}"
        target = self._folder.file(path)
        with _told("write", target):
            if _size(target) == len(data):
                # Another worker may have renamed it a moment ago, so its folder is flushed with
                # ours.
                self._there.append(target.parent)
                return path
            temporary = self._folder.temporary()
            self._waiting.append((temporary, target))
            with temporary.open("xb", buffering=0) as file:
                view = memoryview(data)
                while view:
                    view = view[file.write(view) :]
        return path

    def settle(self) -> None:
        """Flush the bytes, give the files their names, flush the folders: in this order no name ever stands for half a file."""
        for temporary, target in self._waiting:
            with _told("write", target):
                # Flushed late and all together, so that the disk may write them at once.
                sync_file(temporary)
        folders = set(self._there)
        while self._waiting:
            temporary, target = self._waiting[-1]
            with _told("write", target):
                make_folder(target.parent)
                temporary.replace(target)
            self._waiting.pop()
            folders.add(target.parent)
        for folder in folders:
            with _told("flush", folder):
                sync_folder(folder)

    def discard(self) -> None:
        """Remove the temporary files that were not given their names."""
        while self._waiting:
            with suppress(OSError):
                self._waiting.pop()[0].unlink()


def _parts(path: str) -> tuple[str, str, str]:
    found = _PATH.fullmatch(path)
    if not found:
        raise ValueError(f"no path of a picture: {path!r}")
    return found[1], found[2], found[3]


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return -1


def _left_behind(file: Path) -> bool:
    host, pid, started, _ = ("", "", "", *file.name.rsplit("-", 3))[-4:]
    if host == owners.this_host():
        return owners.is_dead(f"{host}|{pid}|{started}")
    try:
        return time.time() - file.stat().st_mtime > FOREIGN_TEMPORARY_S
    except FileNotFoundError:
        return False


def _entries(folder: Path, *, folders: bool) -> Iterator[str]:
    with _told("read", folder), suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if (
                entry.is_dir(follow_symlinks=False)
                if folders
                else entry.is_file(follow_symlinks=False)
            ):
                yield entry.name


_RIGHTS = "You must be allowed to write to data_dir and everything in it."
_HINTS = {
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.ENAMETOOLONG: "Choose a data_dir with a shorter path.",
    errno.EXDEV: "images/, quarantine/ and tmp/ must lie on one disk.",
}


def _told(action: str, path: Path) -> AbstractContextManager[None]:
    return disk_errors(action, path, hint="", hints=_HINTS)
