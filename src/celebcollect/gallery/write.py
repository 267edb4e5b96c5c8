"""Write the page: walk once along the catalogue; memory holds no more than the index."""

from __future__ import annotations

import html
import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Any, Protocol
from urllib.parse import quote

from celebcollect import __version__
from celebcollect.catalogue.base import Forgetting, Images, People, SharedNotes
from celebcollect.disk.files import disk_errors
from celebcollect.domain.batches import batches
from celebcollect.domain.errors import Interrupted
from celebcollect.domain.records import Image, now
from celebcollect.explain import meaning
from celebcollect.gallery import folder as page_folder
from celebcollect.gallery.known import remember
from celebcollect.gallery.rows import ORDER, Row, kind_of, row, shown, sort_key
from celebcollect.gallery.thumbnails import Thumbnails
from celebcollect.images.base import ImageStore

PEOPLE_AT_ONCE = 50
ROWS_PER_FILE = 100
"""A page of the gallery shows 48 pictures: small files keep the search for rare ones cheap, larger
ones are fewer."""

ASSETS = ("style.css", "rows.js", "cards.js", "page.js")
THUMBNAILS = "thumbs"


class GalleryCatalogue(Images, People, Forgetting, SharedNotes, Protocol):
    """What a page shows, and where its folder is noted."""


@dataclass(frozen=True)
class GallerySummary:
    """What was written."""

    people: int
    images: dict[str, int]
    """By status."""
    thumbnails_made: int
    thumbnails_kept: int
    thumbnails_removed: int
    pictures_without_thumbnail: int


def write_gallery(
    target: Path,
    catalogue: GalleryCatalogue,
    pictures: ImageStore,
    *,
    data_dir: Path,
    max_bytes: int,
    stop: threading.Event,
) -> GallerySummary:
    """
    Write a page about everything in the catalogue; until it is whole, readers see the former one.

    Args:
        target: Folder of the page: missing, empty, or that of a former page.
        catalogue: What is shown.
        pictures: Where the files are.
        data_dir: Their folder; accepted pictures are linked from there.
        max_bytes: Size of a file beyond which no thumbnail is made.
        stop: Ends the work early.

    Raises:
        UsageError: `target` holds something else.
        Busy: Somebody else is writing it.
        StorageError: The disk refuses.
        Interrupted: `stop` was set; thumbnails are kept for the next time.
    """
    with (
        page_folder.opened(target),
        page_folder.new_data(target) as data,
        Thumbnails(target / THUMBNAILS, pictures, max_bytes=max_bytes) as thumbnails,
    ):
        remember(catalogue, target)
        index = _Index()
        with disk_errors("write in", data):
            rows = _rows(catalogue, thumbnails, index, stop)
            for number, some in enumerate(batches(rows, ROWS_PER_FILE)):
                _write_script(data / f"rows-{number}.js", "rows", [number, some])
            if stop.is_set():
                raise Interrupted("interrupted", hint="The page is as it was; run it again.")
            files_at = quote(os.path.relpath(data_dir.resolve(), target.resolve()))
            _write_script(data / "overview.js", "overview", [index.facts(files_at)])
            page = _write_assets(data)
        page_folder.publish(target, data, page)
        return _summary(index, thumbnails, removed=thumbnails.sweep())


def _summary(index: _Index, thumbnails: Thumbnails, *, removed: int) -> GallerySummary:
    return GallerySummary(
        people=len(index.people),
        images=index.totals(),
        thumbnails_made=thumbnails.made,
        thumbnails_kept=thumbnails.there - thumbnails.made,
        thumbnails_removed=removed,
        pictures_without_thumbnail=thumbnails.without,
    )


def _write_assets(data: Path) -> str:
    """Write style and scripts to the folder of the data, and return the page that loads them."""
    assets = files("celebcollect.gallery") / "assets"
    for name in ASSETS:
        (data / name).write_bytes((assets / name).read_bytes())
    page = Template((assets / "index.html").read_text(encoding="utf-8"))
    return page.substitute(data=data.name, version=html.escape(__version__))


def rewrite_gallery(
    target: Path,
    catalogue: GalleryCatalogue,
    pictures: ImageStore,
    *,
    data_dir: Path,
    max_bytes: int,
) -> GallerySummary:
    """
    Write a page again that is there already (see `write_gallery`).

    Raises:
        FileNotFoundError: There is none.
        CelebCollectError: It cannot be written.
    """
    if not page_folder.is_ours(target):
        raise FileNotFoundError(target)
    return write_gallery(
        target, catalogue, pictures, data_dir=data_dir, max_bytes=max_bytes, stop=threading.Event()
    )


def _rows(
    catalogue: GalleryCatalogue, thumbnails: Thumbnails, index: _Index, stop: threading.Event
) -> Iterator[Row]:
    """Yield what the page shows of every picture, people after people, and tell the index."""
    people = (
        (qid, sorted(rows, key=sort_key))
        for qid, rows in groupby(catalogue.images(), key=lambda image: image.qid)
    )
    for batch in batches(people, PEOPLE_AT_ONCE):
        qids = [qid for qid, _ in batch]
        known = {person.qid: person for person in catalogue.people(qids)}
        images = {image.id: image for qid, rows in batch for image in rows}
        away = catalogue.images_by_id(
            {image.duplicate_of for image in images.values() if image.duplicate_of} - images.keys()
        )
        gone = catalogue.forgotten({*qids, *(image.qid for image in away.values())})
        others = {id_: image for id_, image in (images | away).items() if image.qid not in gone}
        for qid, rows in batch:
            if stop.is_set():
                return
            if qid in gone:
                continue
            there = thumbnails.of(
                [
                    *rows,
                    *(others[image.duplicate_of] for image in rows if image.duplicate_of in others),
                ]
            )
            person = known.get(qid)
            index.add(
                qid,
                shown(person.name if person else rows[0].name),
                person.sitelinks if person else 0,
                rows,
                there,
            )
            yield from (row(image, others.get(image.duplicate_of or ""), there) for image in rows)


@dataclass
class _Index:
    """What the page knows from the start: everybody, and of each row what it can be filtered by."""

    people: list[list[Any]] = field(default_factory=list)
    kinds: dict[tuple[str, str, str], int] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    """The kind of each row, in the order of the rows."""

    def add(
        self, qid: str, name: str, fame: int, images: list[Image], thumbnails: set[str]
    ) -> None:
        face = next(
            (
                image.sha256
                for image in images
                if image.sha256 in thumbnails and image.status is ORDER[0]
            ),
            "",
        )
        self.people.append([qid, name, fame, len(images), face])
        self.rows.extend(self.kinds.setdefault(kind_of(image), len(self.kinds)) for image in images)

    def totals(self) -> dict[str, int]:
        counts: Counter[str] = Counter({status.value: 0 for status in ORDER})
        kinds = list(self.kinds)
        for kind, n in Counter(self.rows).items():
            counts[kinds[kind][0]] += n
        return dict(counts)

    def facts(self, files_at: str) -> dict[str, Any]:
        reasons = sorted({reason for _, reason, _ in self.kinds if reason})
        return {
            "written": now().isoformat(),
            "files": files_at,
            "rows_per_file": ROWS_PER_FILE,
            "statuses": [status.value for status in ORDER],
            "meanings": {reason: meaning(reason).replace("`", "") for reason in reasons},
            "kinds": list(self.kinds),
            "people": self.people,
            "rows": self.rows,
        }


def _write_script(file: Path, call: str, arguments: list[Any]) -> None:
    # A page that was opened from a file may load scripts, but may not fetch data. In ASCII, and
    # without a `<`: no text can end a script or a string.
    text = ", ".join(json.dumps(argument, separators=(",", ":")) for argument in arguments).replace(
        "<", "\\u003c"
    )
    file.write_text(f"gallery.{call}({text});\n", encoding="ascii")
