"""Which file a picture's path stands for, and what the disk's errors mean there.

data_dir/images/<QID>/<sha256>.<ext>       pictures that wait for `clean` or were accepted
data_dir/quarantine/<QID>/<sha256>.<ext>   pictures that `clean` rejected
data_dir/lost/images/...                   what had no business there, see `images.lost`
data_dir/tmp/<host>-<pid>-<start>-<random>.part
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from celebcollect.disk import owners
from celebcollect.disk.files import disk_errors, make_folder
from celebcollect.images.base import IMAGES, LOST, QUARANTINE

TEMPORARY = "tmp"

FOREIGN_TEMPORARY_S = 3600.0
"""Age at which a temporary file of another machine counts as left behind: no download takes that
long."""

_PATH = re.compile(r"(images|quarantine)/(Q[1-9][0-9]{0,11})/([0-9a-f]{64}\.[a-z0-9]{1,8})")
_RIGHTS = "You must be allowed to write to data_dir and everything in it."
_HINTS = {
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.ENAMETOOLONG: "Choose a data_dir with a shorter path.",
    errno.EXDEV: "images/, quarantine/ and tmp/ must lie on one disk.",
}


class FolderLayout:
    """The paths under one `data_dir`."""

    def __init__(self, data_dir: Path) -> None:
        self.root = data_dir

    def file(self, path: str) -> Path:
        """
        Return where a file lies, whether it exists or not.

        Raises:
            ValueError: The text is no path of ours, or leads through a symbolic link.
        """
        file = self.root.joinpath(*parts(path))
        # A link inside our folders, whoever put it there, could lead a read or a write anywhere.
        with told("look for", file):
            for part in (file, file.parent, file.parent.parent):
                if part.is_symlink():
                    raise ValueError(
                        f"{part} is a symbolic link, and pictures are only kept in plain folders"
                    )
        return file

    def person_folders(self, qid: str) -> list[Path]:
        """
        Return the folders of a person: of pictures, and of what was lost among them.

        Raises:
            ValueError: The text is no QID.
        """
        if not _PATH.fullmatch(f"{IMAGES}/{qid}/{'0' * 64}.jpg"):
            raise ValueError(f"no QID: {qid!r}")
        return [
            root / kind / qid
            for root in (self.root, self.root / LOST)
            for kind in (IMAGES, QUARANTINE)
        ]

    def files(self) -> Iterator[str]:
        """Yield the path of every file that is named like a picture."""
        for kind in (IMAGES, QUARANTINE):
            for folder in entries(self.root / kind, folders=True):
                for name in entries(self.root / kind / folder, folders=False):
                    path = f"{kind}/{folder}/{name}"
                    if _PATH.fullmatch(path):
                        yield path

    def temporary(self) -> Path:
        """Return a new name for a temporary file, in a folder that exists."""
        folder = self.root / TEMPORARY
        with told("make", folder):
            make_folder(folder)
        owner = owners.this_owner().replace("|", "-")
        return folder / f"{owner}-{secrets.token_hex(8)}.part"

    def left_behind(self) -> Iterator[Path]:
        """Yield temporary files of dead processes of this machine, and old ones of others."""
        for name in entries(self.root / TEMPORARY, folders=False):
            file = self.root / TEMPORARY / name
            if name.endswith(".part") and _is_left_behind(file):
                yield file


def parts(path: str) -> tuple[str, str, str]:
    """
    Return kind, QID and file name of a path.

    Raises:
        ValueError: The text is no path of ours.
    """
    found = _PATH.fullmatch(path)
    if not found:
        raise ValueError(f"no path of a picture: {path!r}")
    return found[1], found[2], found[3]


def entries(folder: Path, *, folders: bool) -> Iterator[str]:
    """Yield the names in a folder: of its folders, or of its files; links are passed over."""
    with told("read", folder), suppress(FileNotFoundError), os.scandir(folder) as found:
        for entry in found:
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder == folders and (folders or entry.is_file(follow_symlinks=False)):
                yield entry.name


def told(
    action: str, path: Path, *, passing: tuple[type[OSError], ...] = ()
) -> AbstractContextManager[None]:
    """Turn the disk's errors into StorageError, with hints about `data_dir`."""
    return disk_errors(action, path, hint="", hints=_HINTS, passing=passing)


def _is_left_behind(file: Path) -> bool:
    host, pid, started, _ = ("", "", "", *file.name.rsplit("-", 3))[-4:]
    if host == owners.this_host():
        return owners.is_dead(f"{host}|{pid}|{started}")
    try:
        return time.time() - file.stat().st_mtime > FOREIGN_TEMPORARY_S
    except FileNotFoundError:
        return False
