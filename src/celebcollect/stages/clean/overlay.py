"""A catalogue and a folder that take what cleaning writes, and keep all of it in memory.

So a dry run is the real thing, with everything that follows for other people, and writes nothing.
A picture that changes takes some 5 KB.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from celebcollect.bus.base import Item
from celebcollect.catalogue import bands
from celebcollect.catalogue.keys import number
from celebcollect.catalogue.state import Cleaning, PersonFace, PersonState
from celebcollect.domain.records import Celebrity, Image
from celebcollect.images.base import ImageStore
from celebcollect.stages.clean.context import CleanCatalogue

_NO_FINGERPRINT = "-"
"""Nobody was cleaned with it, so that everybody who has pictures needs cleaning with it."""


class CatalogueOverlay:
    """The methods of a catalogue that `clean` calls, over one that is only read. For one thread."""

    def __init__(
        self, catalogue: CleanCatalogue, is_measured: Callable[[Image, Image], bool]
    ) -> None:
        """
        Take a catalogue to read.

        Args:
            catalogue: Nothing is written to it.
            is_measured: Tells of a row before and after whether its file was measured in between.
        """
        self._catalogue, self._is_measured = catalogue, is_measured
        self.before: dict[str, Image] = {}
        """Rows as they are, by id, of those that cleaning writes."""
        self.rows: dict[str, Image] = {}
        """The same rows as cleaning writes them."""
        self.measured: set[str] = set()
        """Ids of rows whose files were measured."""
        self._hashed: dict[int, set[str]] = {}
        """Ids of rows that were hashed anew, by the keys of `bands`."""
        self._again: Counter[str] = Counter()
        self._cleaned: dict[str, int] = {}
        self._faces: dict[str, PersonFace] = {}
        self._new_faces: list[PersonFace] = []
        self._notes: dict[str, Mapping[str, Any] | None] = {}

    def people(self, qids: Collection[str]) -> list[Celebrity]:
        """Return people as they are."""
        return self._catalogue.people(qids)

    def states(self, qids: Collection[str]) -> dict[str, PersonState]:
        """Return states as they are."""
        return self._catalogue.states(qids)

    def need_cleaning(
        self, fingerprint: str, *, qids: Collection[str] | None = None, limit: int | None = None
    ) -> list[Cleaning]:
        """Return whom to clean: as it is, and as cleaning others has made it; by QID number."""
        found = self._catalogue.need_cleaning(fingerprint, qids=qids, limit=limit)
        needed = self._left(found, first=-1)
        known = {cleaning.qid for cleaning in found}
        more = [
            qid for qid in self._again if qid not in known and (qids is None or qid in set(qids))
        ]
        if more:
            also = self._catalogue.need_cleaning(_NO_FINGERPRINT, qids=more)
            needed += self._left(also, first=0)
        return sorted(needed, key=lambda cleaning: number(cleaning.qid))[:limit]

    def _left(self, found: Sequence[Cleaning], *, first: int) -> list[Cleaning]:
        return [
            Cleaning(one.qid, one.revision + self._again[one.qid])
            for one in found
            if self._again[one.qid] > self._cleaned.get(one.qid, first)
        ]

    def clean_again(self, qids: Collection[str]) -> None:
        """Put people in need of cleaning."""
        self._again.update(set(qids))

    def claim(self, _task: str, qids: Sequence[str], **_: object) -> list[str]:
        """Return everybody: who writes nothing is in nobody's way."""
        return list(qids)

    def release(self, _task: str, _qids: Sequence[str], **_: object) -> None:
        """Do nothing."""

    def record_cleaned(self, cleaning: Cleaning, _fingerprint: str) -> None:
        """Mark the person as cleaned, up to what was said since."""
        self._cleaned[cleaning.qid] = self._again[cleaning.qid]

    def with_bytes(self, shas: Collection[str]) -> list[Image]:
        """Return rows with these digests."""
        return self._over(self._catalogue.with_bytes(shas))

    def similar(self, phashes: Collection[str], *, version: int, bits: int) -> list[Image]:
        """Return rows with similar hashes, the new ones of those that were hashed anew."""
        found = self._catalogue.similar(phashes, version=version, bits=bits)
        asked = bands.probes(phashes, bits)
        anew = {id_ for key in asked.keys() & self._hashed.keys() for id_ in self._hashed[key]}
        rows = {row.id: row for row in self._over(found)}
        rows |= {id_: self.rows[id_] for id_ in anew}
        wanted = list(map(bands.number, phashes))
        return [
            row
            for row in rows.values()
            if row.phash_version == version and _is_near(row.phash, wanted, bits)
        ]

    def person_images(self, qid: str) -> list[Image]:
        """Return all rows of a person."""
        return self._over(self._catalogue.person_images(qid))

    def _over(self, rows: Sequence[Image]) -> list[Image]:
        return [self.rows.get(row.id, row) for row in rows]

    def record_verdicts(self, images: Sequence[Image]) -> None:
        """Keep rows in memory, and notice whose files were measured."""
        new = [image.id for image in images if image.id not in self.rows]
        self.before |= self._catalogue.images_by_id(new)
        for image in images:
            former = self.rows.get(image.id) or self.before.get(image.id)
            if former is not None:
                self.rows[image.id] = image
                if image.phash and _hash(image) != _hash(former):
                    for key in bands.keys(bands.number(image.phash)):
                        self._hashed.setdefault(key, set()).add(image.id)
                if self._is_measured(former, image):
                    self.measured.add(image.id)

    def record_face(self, face: PersonFace) -> None:
        """Keep a face in memory."""
        self._faces[face.qid] = face
        self._new_faces.append(face)

    def faces_of(self, qids: Collection[str]) -> dict[str, PersonFace]:
        """Return the faces of those people who have one."""
        own = {qid: self._faces[qid] for qid in qids if qid in self._faces}
        return {**self._catalogue.faces_of(qids), **own}

    def faces_held_against(self, qid: str) -> set[str]:
        """Return the people whose `held_against` is this one."""
        own = {face.qid for face in self._faces.values() if face.held_against == qid}
        return (self._catalogue.faces_held_against(qid) - self._faces.keys()) | own

    def faces_since(self, mark: float) -> tuple[list[PersonFace], float]:
        """Return the faces that were written since a mark; for one reader."""
        faces, mark = self._catalogue.faces_since(mark)
        new, self._new_faces = self._new_faces, []
        return [face for face in faces if face.qid not in self._faces] + new, mark

    def note(self, key: str) -> dict[str, Any] | None:
        """Return a note."""
        if key not in self._notes:
            return self._catalogue.note(key)
        noted = self._notes[key]
        return None if noted is None else dict(noted)

    def set_note(self, key: str, value: Mapping[str, Any] | None) -> None:
        """Keep a note in memory."""
        self._notes[key] = value


def _hash(image: Image) -> tuple[str | None, int | None]:
    return image.phash, image.phash_version


def _is_near(phash: str | None, wanted: Sequence[int], bits: int) -> bool:
    return phash is not None and any(
        (bands.number(phash) ^ one).bit_count() <= bits for one in wanted
    )


class FolderOverlay:
    """The methods of an image folder that `clean` calls; every file stays where it is."""

    def __init__(self, folder: ImageStore) -> None:
        self._folder = folder

    def find(self, path: str) -> str | None:
        """Return where a picture is."""
        return self._folder.find(path)

    def local(self, path: str) -> AbstractContextManager[Path]:
        """Yield a file to be read."""
        return self._folder.local(path)

    def read(self, path: str) -> bytes:
        """Return the bytes of a picture."""
        return self._folder.read(path)

    def place(self, path: str, **_: object) -> str:
        """Leave a picture where it is and return its path, or raise as the folder would."""
        if self._folder.find(path) is None:
            raise FileNotFoundError(path)
        return path

    def files(self) -> Iterator[str]:
        """Yield the path of every picture."""
        return self._folder.files()

    def modified_at(self, path: str) -> float:
        """Return when a picture was written or moved."""
        return self._folder.modified_at(path)


class NoTopic:
    """A log that takes messages and sends them nowhere."""

    def publish(self, _topic: str, _items: Sequence[Item]) -> None:
        """Do nothing."""
