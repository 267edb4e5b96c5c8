"""Find files that are gone or are no longer what `store` wrote.

`store` decoded these very bytes before it wrote their SHA-256 down, so bytes that still match it
still open: nothing is decoded here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from stat import S_ISREG

from celebcollect.checks.base import (
    Check,
    CheckSettings,
    CheckSpec,
    Facts,
    FileReason,
    Picture,
    Rejection,
)
from celebcollect.disk.files import disk_errors

VERSION = 1


def build(_: CheckSettings) -> Check:
    """Return the check; it has no settings."""
    return Readable()


class Readable:
    """
    Reject `file_missing` and `corrupt_file`.

    A file is read again only when its size or its time of change differ.
    """

    name = "readable"

    def fingerprint(self) -> str:
        """Return the version: there are no settings."""
        return str(VERSION)

    def measure(self, pictures: Sequence[Picture]) -> Iterator[tuple[str, Facts]]:
        """Yield size, time of change and digest of the files that are new or changed."""
        for picture in pictures:
            stamp = _stamp(picture)
            facts = picture.facts(self.name)
            if stamp and any(facts.get(key) != value for key, value in stamp.items()):
                yield (
                    picture.image.id,
                    stamp | {"sha256": hashlib.sha256(picture.stored.read()).hexdigest()},
                )

    def reject(self, pictures: Sequence[Picture]) -> Iterator[Rejection]:
        """Yield the pictures whose file is gone or holds other bytes than it did."""
        for picture in pictures:
            image, facts = picture.image, picture.facts(self.name)
            if not _stamp(picture):
                yield Rejection(image.id, FileReason.FILE_MISSING)
            elif facts.get("bytes") != image.bytes:
                yield Rejection(
                    image.id,
                    FileReason.CORRUPT_FILE,
                    detail=f"{facts.get('bytes')} of {image.bytes} bytes",
                )
            elif facts.get("sha256") != image.sha256:
                yield Rejection(
                    image.id, FileReason.CORRUPT_FILE, detail="other content than was stored"
                )


def _stamp(picture: Picture) -> Facts:
    """Return what tells a changed file from an unchanged one; empty when there is no file."""
    missing = (FileNotFoundError, NotADirectoryError)
    try:
        with disk_errors("look at", picture.file, passing=missing):
            status = picture.file.stat()
    except missing:
        return {}
    if not S_ISREG(status.st_mode):
        return {}
    return {"version": VERSION, "bytes": status.st_size, "mtime_ns": status.st_mtime_ns}


SPEC = CheckSpec(name="readable", order=10, build=build, reasons=(FileReason,))
