"""Compare the rows of pictures with their files: there, whole, and where they should be.

One file stands for all rows of a person that have its bytes.
"""

from __future__ import annotations

import errno
import hashlib
import heapq
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from celebcollect.domain.errors import StorageError
from celebcollect.domain.records import Image, Status
from celebcollect.images.base import IMAGES, ImageStore, elsewhere
from celebcollect.stages.clean.verdicts import ABOUT_FILES
from celebcollect.stages.verify.findings import Disagreement, Kind

THROWN_OUT = "thrown_out"
"""Among the facts of a row: the picture was rejected for another reason before it was lost."""
WITH_A_FILE = frozenset((Status.STORED, Status.ACCEPTED, Status.REJECTED))


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as the catalogue knows it."""

    qid: str
    rows: tuple[Image, ...]
    """The rows that share it, those that are kept first."""

    @property
    def name(self) -> str:
        """Return the name of the picture."""
        return f"{self.qid}/{self.rows[0].sha256 or self.rows[0].id}"

    @property
    def is_accepted(self) -> bool:
        """Tell whether the picture is in the data set."""
        return self.rows[0].status is Status.ACCEPTED

    @property
    def is_kept(self) -> bool:
        """Tell whether the picture is accepted, or waits for `clean`."""
        return self.rows[0].status is not Status.REJECTED

    @property
    def is_given_up(self) -> bool:
        """Tell whether the catalogue says itself that the file is gone or damaged."""
        return all(row.rejected_by in ABOUT_FILES for row in self.rows)

    @property
    def may_come_again(self) -> bool:
        """
        Tell whether `clean` has given up bytes that were whole once, for their file alone.

        Not what was thrown out before its file was lost: `verify` notes that.
        """
        return self.is_given_up and any(
            row.sha256 and THROWN_OUT not in row.facts for row in self.rows
        )


_ORDER = (Status.ACCEPTED, Status.STORED, Status.REJECTED)


def known_files(rows: Iterable[Image]) -> Iterator[StoredFile]:
    """Yield the files that rows stand for; the rows of a person come together."""
    for qid, theirs in groupby(rows, key=lambda row: row.qid):
        files: dict[str, list[Image]] = {}
        for row in theirs:
            if row.status in WITH_A_FILE:
                files.setdefault(row.sha256 or row.id, []).append(row)
        for same in files.values():
            same.sort(key=lambda row: (_ORDER.index(row.status), row.rejected_by in ABOUT_FILES))
            yield StoredFile(qid, tuple(same))


def look_at(folder: ImageStore, known: StoredFile) -> Disagreement | None:
    """
    Read a file and say what does not agree with the catalogue, or None.

    Raises:
        StorageError: The disk refuses; bytes that it cannot read are a damage.
    """
    row = known.rows[0]
    try:
        found = folder.find(row.path or "")
        said = _damage(folder, found, row) if found else (Kind.FILE_MISSING, "")
    except FileNotFoundError:  # moved just now: whoever asks again knows where
        said = (Kind.FILE_MISSING, "")
    except ValueError as error:
        said, found = (Kind.FILE_MISSING, str(error)[:200]), None
    if known.is_given_up:
        if found is not None and said is None:
            return Disagreement(Kind.FILE_BACK, known.name, known.qid, found)
        if not known.may_come_again:
            return None
    if said is None and found is not None:
        wrong = _misplaced(folder, known, found)
        return Disagreement(Kind.FILE_MISPLACED, known.name, known.qid, wrong) if wrong else None
    kind, detail = said or (Kind.FILE_MISSING, "")
    return Disagreement(
        kind, known.name, known.qid, f"{found or row.path}: {detail}" if detail else ""
    )


def _damage(folder: ImageStore, path: str, row: Image) -> tuple[Kind, str] | None:
    """Return what is wrong with the bytes of a file."""
    try:
        with folder.local(path) as file:
            size = file.stat().st_size
            if size != row.bytes:
                return Kind.FILE_DAMAGED, f"{size} of {row.bytes} bytes"
            with file.open("rb") as data:
                digest = hashlib.file_digest(data, "sha256").hexdigest()
    except FileNotFoundError:
        raise
    except OSError as error:
        # What a failing disk cannot read is lost; other errors are about the folder or the rights.
        if error.errno not in (errno.EIO, errno.EISDIR):
            raise StorageError(
                f"cannot read {path}: {error.strerror}",
                hint="You must be allowed to read everything in data_dir.",
            ) from error
        return Kind.FILE_DAMAGED, str(error.strerror)
    return None if digest == row.sha256 else (Kind.FILE_DAMAGED, "other content than was stored")


def _misplaced(folder: ImageStore, known: StoredFile, found: str) -> str:
    """Return where a file is that should be elsewhere; empty where all is well."""
    among_images = found.startswith(f"{IMAGES}/")
    if known.is_accepted:
        told = all(row.path == found for row in known.rows if row.status is Status.ACCEPTED)
        return "" if among_images and told else found
    if known.is_kept:
        return ""
    if among_images:
        return found
    return elsewhere(found) if folder.holds(elsewhere(found)) else ""


def files_of(rows: Sequence[Image]) -> dict[str, StoredFile]:
    """Return a person's files by the name of the picture."""
    return {known.name: known for known in known_files(rows)}


def by_people(files: Iterator[StoredFile], size: int) -> Iterator[list[StoredFile]]:
    """Cut files into lists of at least `size` that hold people as a whole."""
    some: list[StoredFile] = []
    for _, theirs in groupby(files, key=lambda known: known.qid):
        some += theirs
        if len(some) >= size:
            yield some
            some = []
    if some:
        yield some


def drawn_by_chance(files: Iterator[StoredFile], sample: int | None) -> set[str] | None:
    """Return the names of so many pictures, drawn by chance; None: all of them."""
    if sample is None:
        return None
    salt = str(time.time_ns())

    def chance(name: str) -> bytes:
        return hashlib.blake2b((salt + name).encode(), digest_size=8).digest()

    return set(heapq.nsmallest(sample, (known.name for known in files), key=chance))
