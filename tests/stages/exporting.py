"""A collection of real pictures to export, and the libraries that load what was exported."""

from __future__ import annotations

import atexit
import hashlib
import importlib
import os
import tempfile
import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.domain.records import Celebrity, Image, Status, image_id
from celebcollect.domain.tally import Tally
from celebcollect.images.folder import ImageFolder
from celebcollect.stages.export import About, ExportSettings, ExportSummary, export_images
from picture_web import picture
from support import missing

ABOUT = About(
    version="1.2.3",
    checks=[("size", "1 min_side_px=100"), ("duplicate", "1 near_bits=6")],
    rejected={"too_small": 7, "near_duplicate": 3},
)

HOSTILE = (
    "Robert'); DROP TABLE images;--",
    "../../etc/passwd",
    "<script>alert(1)</script> & <b>bold</b>",
    "| pipe | ![x](https://evil.example/x.png) [a](b) `code` *em* _em_ # head",
    "--- key: value",
    "見本 花子",
    "ليلى المثال",
    "www.evil.example https://evil.example mail@evil.example",
    "1. first - - + > quote \\ back",
)


@cache
def drawn(seed: int, kind: str) -> bytes:
    return picture(seed, (120, 100), kind)


@dataclass
class Shelf:
    """A catalogue and an image folder, filled by hand."""

    folder: Path
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.catalogue = EmbeddedCatalogue(self.folder / "catalogue.sqlite3")
        self.images = ImageFolder(self.folder)
        self.people: list[Celebrity] = []
        self.waiting: list[Image] = []

    def person(self, number: int, name: str | None = None) -> None:
        self.people.append(
            Celebrity(qid=f"Q{number}", name=name or f"Person {number}", sitelinks=50)
        )

    def add(self, number: int, seed: int, *, kind: str = "JPEG", **facts: Any) -> Image:
        """Add one accepted picture of Q<number>: another one for each seed."""
        qid, data = f"Q{number}", drawn(seed, kind)
        sha256 = hashlib.sha256(data).hexdigest()
        extension = {"JPEG": "jpg"}.get(kind, kind.lower())
        url = facts.pop("url", f"https://pictures.example/{number}/{seed}.{extension}")
        status = facts.pop("status", Status.ACCEPTED)
        row: dict[str, Any] = {
            "id": image_id(qid, url),
            "qid": qid,
            "name": f"Person {number}",
            "status": Status.STORED,
            "source": "commons",
            "url": url,
            "page_url": f"https://pages.example/{seed}",
            "licence": "CC BY 4.0",
            "licence_url": "https://creativecommons.org/licenses/by/4.0/",
            "author": "Jane Doe",
            "sha256": sha256,
            "path": f"images/{qid}/{sha256}.{extension}",
            "bytes": len(data),
            "format": kind.lower(),
            "width_px": 120,
            "height_px": 100,
            "phash": sha256[:16],
            "phash_version": 1,
            "stored_at": datetime(2026, 3, 1, 12, 0, seed % 60, tzinfo=UTC),
        }
        image = Image(**{**row, **facts})
        file = self.images.file(image.path or "")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        self.waiting.append(image.model_copy(update={"status": status}))
        return self.waiting[-1]

    def save(self) -> None:
        """Write what was added to the catalogue."""
        self.catalogue.save_people(self.people)
        self.catalogue.record_stored(
            [image.model_copy(update={"status": Status.STORED}) for image in self.waiting]
        )
        self.catalogue.record_verdicts(
            [image for image in self.waiting if image.status is not Status.STORED]
        )
        self.people, self.waiting = [], []

    def judge(self, image: Image, status: Status) -> None:
        self.catalogue.record_verdicts([image.model_copy(update={"status": status})])

    def export(
        self, where: Path, layout: Any = "imagefolder", *, about: About = ABOUT, **settings: Any
    ) -> tuple[ExportSummary, Tally]:
        tally = Tally()
        self.save()
        summary = export_images(
            self.catalogue,
            self.images,
            where,
            ExportSettings(layout, **settings),
            about=about,
            tally=tally,
            stop=self.stop,
        )
        return summary, tally


def varied(shelf: Shelf, people: int = 9, each: int = 8) -> list[Image]:
    """Several people with hostile names, sources and formats of every kind."""
    added = []
    for number in range(1, people + 1):
        name = HOSTILE[number % len(HOSTILE)]
        shelf.person(number, name)
        for place in range(each):
            seed = number * 100 + place
            kind = ("JPEG", "JPEG", "PNG", "WEBP")[place % 4]
            source = ("commons", "google")[place % 2]
            author = HOSTILE[place % len(HOSTILE)] if source == "commons" else None
            licence = ("CC BY-SA 4.0", None, "Public domain | <x>")[place % 3]
            added.append(
                shelf.add(
                    number,
                    seed,
                    kind=kind,
                    source=source,
                    author=author,
                    licence=licence,
                    name=name,
                )
            )
    return added


def tree(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file with bytes, inode and time of change."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {
        str(file.relative_to(folder)): (
            file.read_bytes(),
            file.stat().st_ino,
            file.stat().st_mtime_ns,
        )
        for file in files
    }


def contents(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes, but for the index, which knows inodes and times."""
    return {
        name: data
        for name, (data, _, _) in tree(folder).items()
        if not name.startswith(".celebcollect-export")
    }


def keys(images: Collection[Image]) -> set[str]:
    return {f"{image.qid}/{image.sha256}" for image in images}


def library(name: str) -> Any:
    """Return a library that reads data sets, kept off the network and the user's caches."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return missing(f"the library {name} (pip install '.[dev]')")


_caches = tempfile.TemporaryDirectory(prefix="celebcollect-tests-")
atexit.register(_caches.cleanup)
os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    HF_HOME=f"{_caches.name}/hf",
    HF_HUB_DISABLE_TELEMETRY="1",
    CROISSANT_CACHE=f"{_caches.name}/croissant",
)
