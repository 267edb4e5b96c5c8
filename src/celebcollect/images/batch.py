"""Pictures on their way into the image folder: written first, flushed and named all together."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from celebcollect.disk.files import make_folder, sync_file, sync_folder
from celebcollect.images.base import IMAGES
from celebcollect.images.layout import FolderLayout, told


class FolderBatch:
    """Pictures in temporary files, not yet under their names. Thread-safe."""

    def __init__(self, layout: FolderLayout) -> None:
        self._layout = layout
        self._waiting: list[tuple[Path, Path]] = []
        self._there: list[Path] = []

    def put(self, qid: str, sha256: str, extension: str, data: bytes) -> str:
        """Write a picture to a temporary file and return the path that it will have."""
        path = f"{IMAGES}/{qid}/{sha256}.{extension}"
        target = self._layout.file(path)
        with told("write", target):
            if _size(target) == len(data):
                # Another worker may have renamed it a moment ago, so its folder is flushed with
                # ours.
                self._there.append(target.parent)
                return path
            temporary = self._layout.temporary()
            self._waiting.append((temporary, target))
            with temporary.open("xb", buffering=0) as file:
                view = memoryview(data)
                while view:
                    view = view[file.write(view) :]
        return path

    def settle(self) -> None:
        """
        Flush the bytes, give the files their names, flush the folders.

        In this order no name ever stands for half a file.
        """
        for temporary, target in self._waiting:
            with told("write", target):
                # Flushed late and all together, so that the disk may write them at once.
                sync_file(temporary)
        folders = set(self._there)
        while self._waiting:
            temporary, target = self._waiting[-1]
            with told("write", target):
                make_folder(target.parent)
                temporary.replace(target)
            self._waiting.pop()
            folders.add(target.parent)
        for folder in folders:
            with told("flush", folder):
                sync_folder(folder)

    def discard(self) -> None:
        """Remove the temporary files that were not given their names."""
        while self._waiting:
            with suppress(OSError):
                self._waiting.pop()[0].unlink()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return -1
