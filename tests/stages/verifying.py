"""A collection of small files to verify, and the damage that happens to such."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from catalogue.catalogue_backends import new_backend
from celebcollect.bus.base import Bus, TopicSpec
from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.catalogue.base import Catalogue
from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.domain.batches import batches
from celebcollect.domain.records import Image, Status, image_id, now
from celebcollect.gallery.folder import is_ours
from celebcollect.images.folder import ImageFolder
from celebcollect.stages.clean.placement import clean_record
from celebcollect.stages.verify import recheck
from celebcollect.stages.verify.context import VerifyContext
from celebcollect.stages.verify.run import Progress, Verified, VerifyOptions, verify

TOPIC = "dataclean"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a file for lost or strange at once, though it may be under way."""
    monkeypatch.setattr(recheck, "YOUNG_S", 0.0)


@pytest.fixture(params=["embedded", pytest.param("java", marks=pytest.mark.mongo)])
def collection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Collection]:
    """An empty collection, its catalogue of either kind."""
    with new_backend(request.param, tmp_path / "server") as backend:
        found = Collection(tmp_path / "data")
        if request.param != "embedded":
            found.catalogue.close()
            found.catalogue = backend.open()
        with closing(found):
            yield found


def quiet(_what: str, _done: int, _total: int) -> None:
    """Show nothing."""


@dataclass
class Collection:
    """Catalogue, files and log; made by `fill`, never decoded."""

    root: Path
    catalogue: Catalogue = field(init=False)
    bus: Bus = field(init=False)

    def __post_init__(self) -> None:
        self.catalogue = EmbeddedCatalogue(self.root / "catalogue.sqlite3")
        self.bus = EmbeddedBus(self.root / "log")
        self.open()

    def open(self) -> None:
        self.folder = ImageFolder(self.root)
        self.bus.ensure([TopicSpec(TOPIC, compacted=True)])

    def close(self) -> None:
        self.bus.close()
        self.catalogue.close()

    def fill(self, people: int, each: int) -> list[Image]:
        """Give each of so many people accepted pictures, published, their files in place."""
        rows = [_row(person, number) for person in range(1, people + 1) for number in range(each)]
        for row in rows:
            file = self.root / (row.path or "")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content(row))
        for some in batches(rows, 5000):
            stored = [row.model_copy(update={"status": Status.STORED}) for row in some]
            self.catalogue.record_stored(stored)
            self.catalogue.record_verdicts(some)
            self.bus.publish(TOPIC, [(key_of(row), clean_record(row).to_json()) for row in some])
        return rows

    def reject(self, rows: Sequence[Image], reason: str = "blurred") -> None:
        """Throw pictures out, as `clean` does."""
        self.bus.publish(TOPIC, [(key_of(row), None) for row in rows])
        for row in rows:
            path = self.folder.place(row.path or "", quarantined=True)
            said = {"status": Status.REJECTED, "reason": reason, "rejected_by": "quality"}
            self.catalogue.record_verdicts([row.model_copy(update={**said, "path": path})])

    def file(self, row: Image) -> Path:
        return self.root / (row.path or "")

    def verify(
        self,
        *,
        fix: bool = False,
        sample: int | None = None,
        anew: bool = False,
        progress: Progress = quiet,
        stop: threading.Event | None = None,
    ) -> Verified:
        context = VerifyContext.of(self.catalogue, self.folder, self.bus, TOPIC, is_ours)
        options = VerifyOptions(fix=fix, sample=sample, anew=anew)
        return verify(context, options, progress=progress, stop=stop or threading.Event())

    def found(self, *, fix: bool = False) -> set[tuple[str, str]]:
        """Verify, and return kind and name of what does not agree."""
        return {(one.kind.value, one.name) for one in self.verify(fix=fix).findings}

    def status(self, row: Image) -> tuple[str, str | None]:
        now_is = self.catalogue.images_by_id([row.id])[row.id]
        return now_is.status.value, now_is.reason


def key_of(row: Image) -> str:
    return f"{row.qid}/{row.sha256}"


def content(row: Image) -> bytes:
    return f"bytes of {row.url}".encode()


def _row(person: int, number: int) -> Image:
    qid, url = f"Q{person}", f"https://example.org/{person}/{number}.jpg"
    data = f"bytes of {url}".encode()
    sha256 = hashlib.sha256(data).hexdigest()
    return Image(
        id=image_id(qid, url),
        qid=qid,
        name=f"Person {person}",
        status=Status.ACCEPTED,
        source="commons",
        url=url,
        sha256=sha256,
        path=f"images/{qid}/{sha256}.jpg",
        bytes=len(data),
        format="jpeg",
        width_px=300,
        height_px=300,
        stored_at=now(),
    )


def hurt(collection: Collection, rows: Sequence[Image], scale: int = 1) -> set[tuple[str, str]]:
    """
    Delete 3, damage 2, drop 1 strange file and lose half a message, each times `scale`.

    Return kind and name of all that was done.
    """
    gone, damaged = rows[: 3 * scale], rows[3 * scale : 5 * scale]
    silent = rows[5 * scale : 5 * scale + max(scale // 2, 1)]
    done = set()
    for row in gone:
        collection.file(row).unlink()
        done.add(("file_missing", key_of(row)))
    for number, row in enumerate(damaged):
        whole = content(row)
        # of the same size, or cut off
        broken = bytes([whole[0] ^ 1]) + whole[1:] if number % 2 else whole[:-3]
        collection.file(row).write_bytes(broken)
        done.add(("file_damaged", key_of(row)))
    for number in range(scale):
        kind = ("images", "quarantine")[number % 2]
        name = f"{number:064x}.jpg" if number % 3 else f"notes {number}.txt"
        file = collection.root / kind / rows[-1 - number].qid / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"whose?")
        done.add(("strange_file", file.relative_to(collection.root).as_posix()))
    collection.bus.publish(TOPIC, [(key_of(row), None) for row in silent])
    return done | {("message_missing", key_of(row)) for row in silent}
