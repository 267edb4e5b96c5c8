"""Files whose size and SHA-256 are known beforehand, and the proof that one is such a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from celebcollect.disk.files import disk_errors
from celebcollect.domain.errors import CelebCollectError

_PIECE = 1 << 20


class WrongFile(CelebCollectError):
    """The bytes are not those of the file that was asked for."""


@dataclass(frozen=True)
class KnownFile:
    """A file as its publisher states it."""

    name: str
    size: int
    """Bytes."""
    sha256: str
    """In hexadecimal digits."""
    addresses: tuple[str, ...]
    """Where it can be had, tried in this order."""


def prove(file: Path, known: KnownFile) -> None:
    """
    Compare a file with what is known of it.

    Raises:
        WrongFile: Size or digest differ.
        StorageError: It cannot be read.
    """
    with disk_errors("read", file):
        size = file.stat().st_size
        if size != known.size:
            raise WrongFile(
                f"{file} has {size} bytes, and {known.name} has {known.size}",
                hint="It is cut off, or another file of the same name.",
            )
        digest = hashlib.sha256()
        with file.open("rb") as data:
            while piece := data.read(_PIECE):
                digest.update(piece)
    if digest.hexdigest() != known.sha256:
        raise WrongFile(
            f"{file} is not {known.name}: its SHA-256 is {digest.hexdigest()[:16]}...,"
            f" not {known.sha256[:16]}...",
            hint="It was changed, or is another version; it is not used.",
        )
