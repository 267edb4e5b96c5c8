"""Where picture files live, whoever keeps them: today a folder.

A picture is named by a path of its own, a text with forward slashes, as the catalogue keeps it:
`images/<QID>/<sha256>.<ext>` while it waits for `clean` or was accepted, `quarantine/...` when it
was rejected. Whoever needs a file to open asks for `local`; nobody else assumes that there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

IMAGES, QUARANTINE = "images", "quarantine"

LOST = "lost"
"""Where `verify` puts what has no business among the pictures."""


def elsewhere(path: str) -> str:
    """Return the other of the two paths that a picture may have."""
    kind, _, rest = path.partition("/")
    return f"{QUARANTINE if kind == IMAGES else IMAGES}/{rest}"


class ImageBatch(Protocol):
    """Pictures on their way into the store, not yet under their names. Thread-safe."""

    def put(self, qid: str, sha256: str, extension: str, data: bytes) -> str:
        """Take a picture and return the path that it will have."""

    def discard(self) -> None:
        """Give up what has no name yet."""


class ImageStore(Protocol):
    """
    Keeps the files of pictures. Thread-safe; several processes may work on it at once.

    Every method raises ValueError for a text that is no path of a picture, and StorageError when
    the store refuses. It knows nothing of the catalogue.
    """

    def put(self, qid: str, sha256: str, extension: str, data: bytes) -> str:
        """Write one picture and return its path, durable; nothing when it is there already."""

    def batch(self) -> AbstractContextManager[ImageBatch]:
        """
        Yield a batch to put pictures into; after the block they are there, durable.

        When the block raises, none of them appear.
        """

    def holds(self, path: str) -> bool:
        """Tell whether a picture is there under this very path."""

    def find(self, path: str) -> str | None:
        """
        Return where a picture is: under this path, or under its other one; None when in neither.

        A crash, or a download of the same bytes meanwhile, may have left it in the other place.
        """

    def read(self, path: str) -> bytes:
        """
        Return the bytes of a picture.

        Raises:
            FileNotFoundError: It is not there.
        """

    def local(self, path: str) -> AbstractContextManager[Path]:
        """
        Yield a file of this machine with the bytes of a picture, to be read during the block.

        The file may be missing when the picture is; whoever opens it is told.
        """

    def modified_at(self, path: str) -> float:
        """
        Return when a picture was written, or moved to this path, in seconds since 1970.

        Raises:
            FileNotFoundError: It is not there.
        """

    def place(self, path: str, *, quarantined: bool) -> str:
        """
        Make sure that a picture is in quarantine, or in the images, only; return its path there.

        A crash leaves it in at least one of the two places.

        Raises:
            FileNotFoundError: It is in neither place.
        """

    def remove(self, path: str) -> None:
        """Remove a picture for good from both places, durable; one that is gone is no error."""

    def files(self) -> Iterator[str]:
        """
        Yield the path of every picture, in no particular order.

        A file is there a moment before the catalogue knows it, so a young one without a row is not
        yet an orphan.
        """

    def places(self, after: str = "") -> Iterator[tuple[str, list[str]]]:
        """
        Yield each place of the store behind `after`, and the paths of all that lies in it.

        That is a person's folder, or something that has no business there. Places come in an order
        that is the same each time, and paths of whatever name.
        """

    def set_aside(self, path: str) -> str:
        """
        Move what has no business among the pictures to the lost ones; return where it is now.

        Nothing that is there already is overwritten.

        Raises:
            FileNotFoundError: It is not there.
        """

    def bring_back(self, there: str, path: str) -> None:
        """
        Move what `set_aside` has moved back to the path that it had.

        Where something is there already, or it is gone from the lost ones, nothing is done.
        """

    def forget(self, qid: str) -> int:
        """Remove everything of a person for good, lost ones too; return how many files."""

    def sweep(self) -> int:
        """Remove what dead processes left behind; return how many files."""

    def local_folders(self) -> Sequence[Path]:
        """Return the folders of this machine that only the store may write to."""
