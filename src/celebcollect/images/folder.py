"""The image folder: files named by their content, written whole or not at all.

Rejected ones are moved to quarantine and never deleted. Several processes, also of several machines
on a shared folder, may work on it at once.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from celebcollect.disk.files import make_folder, sync_folder
from celebcollect.images import lost
from celebcollect.images.base import IMAGES, QUARANTINE, elsewhere
from celebcollect.images.batch import FolderBatch
from celebcollect.images.layout import FolderLayout, parts, told


class ImageFolder:
    """
    The pictures under `data_dir`, which their paths are relative to; see `base.ImageStore`.

    Folders are made when first needed. A path that leads through a symbolic link is no path.
    """

    def __init__(self, data_dir: Path) -> None:
        self._layout = FolderLayout(data_dir)

    def put(self, qid: str, sha256: str, extension: str, data: bytes) -> str:
        """Write one picture and return its path, durable; nothing when it is there already."""
        with self.batch() as batch:
            return batch.put(qid, sha256, extension, data)

    @contextmanager
    def batch(self) -> Iterator[FolderBatch]:
        """
        Yield a batch to put pictures into; after the block they have their names, durable.

        One flush for many pictures. When the block raises, none of them appear.
        """
        batch = FolderBatch(self._layout)
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
        return self._layout.file(path)

    def holds(self, path: str) -> bool:
        """Tell whether a file is there under this very path."""
        file = self.file(path)
        with told("look for", file):
            return file.exists()

    def find(self, path: str) -> str | None:
        """Return where a file is: under this path or its other one; None when in neither."""
        return next((one for one in (path, elsewhere(path)) if self.holds(one)), None)

    def read(self, path: str) -> bytes:
        """Return the bytes of a file."""
        file = self.file(path)
        with told("read", file, passing=(FileNotFoundError,)):
            return file.read_bytes()

    @contextmanager
    def local(self, path: str) -> Iterator[Path]:
        """Yield the file itself, whether it exists or not."""
        yield self.file(path)

    def modified_at(self, path: str) -> float:
        """Return when a file was written, or got its name, in seconds since 1970."""
        file = self.file(path)
        with told("look at", file, passing=(FileNotFoundError,)):
            found = file.stat()
        # A download may wait for its batch under a temporary name: only the rename tells of that.
        return max(found.st_mtime, found.st_ctime)

    def place(self, path: str, *, quarantined: bool) -> str:
        """
        Make sure that a file is in quarantine, or in the images, only; return its path there.

        One rename, so that a crash leaves it in one of the two places.

        Raises:
            FileNotFoundError: It is in neither place.
        """
        _, qid, name = parts(path)
        there = "/".join((QUARANTINE if quarantined else IMAGES, qid, name))
        source, target = self.file(elsewhere(there)), self.file(there)
        with told("move", source):
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
        """Remove a file for good from both places, durable; one that is gone is no error."""
        _, qid, name = parts(path)
        for kind in (IMAGES, QUARANTINE):
            file = self.file(f"{kind}/{qid}/{name}")
            with told("remove", file), suppress(FileNotFoundError):
                file.unlink()
                sync_folder(file.parent)

    def files(self) -> Iterator[str]:
        """
        Yield the path of every picture on the disk, in no particular order.

        What is not named like one is passed over.
        """
        return self._layout.files()

    def places(self, after: str = "") -> Iterator[tuple[str, list[str]]]:
        """Yield each folder behind `after`, and the paths of all files in it, whatever they are."""
        return lost.places(self._layout.root, after)

    def set_aside(self, path: str) -> str:
        """Move a file that has no business here to the lost ones; return where it is now."""
        return lost.set_aside(self._layout.root, path)

    def bring_back(self, there: str, path: str) -> None:
        """Move one of the lost ones back to the path that it had."""
        lost.bring_back(self._layout.root, there, path)

    def forget(self, qid: str) -> int:
        """
        Remove everything in a person's folders for good; return how many files.

        It goes whatever it is named. A link is removed, not followed.
        """
        removed = 0
        for folder in self._layout.person_folders(qid):
            with told("remove", folder), suppress(FileNotFoundError):
                if folder.is_symlink():
                    folder.unlink()
                elif folder.is_dir():
                    removed += sum(1 for file in folder.rglob("*") if not file.is_dir())
                    shutil.rmtree(folder)
                sync_folder(folder.parent)
        return removed

    def sweep(self) -> int:
        """
        Remove temporary files that were left behind; return how many.

        They are those of dead processes of this machine, and old ones of other machines.
        """
        swept = 0
        for file in self._layout.left_behind():
            with told("remove", file), suppress(FileNotFoundError):
                file.unlink()
                swept += 1
        return swept

    def local_folders(self) -> tuple[Path, ...]:
        """Return the folders that only we may write to."""
        return self._layout.root / IMAGES, self._layout.root / QUARANTINE
