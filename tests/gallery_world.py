"""A small catalogue with files, good and hostile, and the page that is written from it."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.domain.records import Celebrity, Image, Status, image_id, now
from celebcollect.gallery.write import GallerySummary, write_gallery
from celebcollect.images.folder import ImageFolder
from picture_web import picture

SCRIPT = b"<?php system($_GET['run']); ?>"
HOSTILE = (
    '<img src=x onerror="window.hacked=1"></script><script>window.hacked=2</script>\'\u202e\u2028'
)
MAX_BYTES = 1_000_000


@dataclass
class World:
    """A data folder with its catalogue, and the folder of the page."""

    data_dir: Path
    catalogue: EmbeddedCatalogue
    page: Path

    @property
    def pictures(self) -> ImageFolder:
        return ImageFolder(self.data_dir)

    def write(self, stop: threading.Event | None = None) -> GallerySummary:
        return write_gallery(
            self.page,
            self.catalogue,
            self.pictures,
            data_dir=self.data_dir,
            max_bytes=MAX_BYTES,
            stop=stop or threading.Event(),
        )

    def person(self, number: int, name: str = "") -> None:
        self.catalogue.save_people(
            [Celebrity(qid=f"Q{number}", name=name or f"Person {number}", sitelinks=1000 - number)]
        )

    def add(
        self,
        number: int,
        place: int,
        status: Status = Status.ACCEPTED,
        *,
        data: bytes | None = None,
        **facts: Any,
    ) -> Image:
        """Put one picture of Q<number> into catalogue and folder; a failed one has no file."""
        url = facts.pop("url", f"https://pictures.example/{number}/{place}.jpg")
        about: dict[str, Any] = {
            "name": f"Person {number}",
            "source": "google",
            "found_at": now(),
            **facts,
        }
        row = Image(
            id=image_id(f"Q{number}", url), qid=f"Q{number}", status=status, url=url, **about
        )
        if status not in (Status.FAILED, Status.VERIFIED):
            content = picture(number * 1000 + place) if data is None else data
            sha256 = hashlib.sha256(content).hexdigest()
            path = self.pictures.put(row.qid, sha256, "jpg", content)
            if status is Status.REJECTED:
                path = self.pictures.place(path, quarantined=True)
            size = {
                "width_px": 200,
                "height_px": 150,
                "bytes": len(content),
                "format": "jpeg",
                "stored_at": now(),
            }
            row = row.model_copy(
                update={
                    **size,
                    **{key: about[key] for key in size if key in about},
                    "sha256": sha256,
                    "path": path,
                }
            )
        self.catalogue.record_stored(
            [
                row.model_copy(
                    update={"status": Status.FAILED if status is Status.FAILED else Status.STORED}
                )
            ]
        )
        self.catalogue.record_verdicts([row])
        return row

    def overview(self) -> dict[str, Any]:
        [file] = self.page.glob("data-*/overview.js")
        facts: dict[str, Any] = json.loads(
            file.read_text("ascii").removeprefix("gallery.overview(").removesuffix(");\n")
        )
        return facts

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows of the page with their person and kind."""
        facts = self.overview()
        rows: list[dict[str, Any]] = []
        for number in range(len(list(self.page.glob("data-*/rows-*.js")))):
            [file] = self.page.glob(f"data-*/rows-{number}.js")
            text = file.read_text("ascii").removeprefix("gallery.rows(").removesuffix(");\n")
            given, found = json.loads(f"[{text}]")
            assert given == number
            rows += found
        qids = [qid for qid, _, _, n, _ in facts["people"] for _ in range(n)]
        return [
            {"qid": qid, "kind": facts["kinds"][kind], **row}
            for qid, kind, row in zip(qids, facts["rows"], rows, strict=True)
        ]


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Make an empty one."""
    (folder / "data").mkdir(parents=True)
    catalogue = EmbeddedCatalogue(folder / "data" / "catalogue.sqlite3")
    try:
        yield World(folder / "data", catalogue, folder / "page")
    finally:
        catalogue.close()


def fill(made: World) -> None:
    """Add three people: an ordinary one, a hostile one, one who shares a picture with the first."""
    made.person(1, "Ada Brightwater")
    made.person(2, HOSTILE)
    made.person(3, "ليلى المثال")
    kept = [
        made.add(1, place, name="Ada Brightwater", source="commons", licence="CC0", author=HOSTILE)
        for place in range(8)
    ]
    near: dict[str, Any] = {"duplicate_of": kept[0].id, "name": "Ada Brightwater"}
    made.add(1, 20, Status.REJECTED, reason="near_duplicate", detail="3 of 64 bits differ", **near)
    made.add(1, 23, Status.REJECTED, reason="other_person", detail="distance 0.81", **near)
    made.add(1, 21, Status.REJECTED, reason="too_small", detail="48x48 px", source="tmdb")
    made.add(
        1,
        22,
        Status.FAILED,
        reason="private_address",
        detail="10.0.0.1",
        url="http://10.0.0.1/reboot.jpg",
    )
    made.add(
        2,
        0,
        page_url="javascript://site.example/%0awindow.hacked=3",
        page_title=HOSTILE,
        licence=HOSTILE,
        licence_url="data://site.example/text/html,x",
        source=HOSTILE,
    )
    made.add(
        2,
        1,
        page_url="https://site.example/<script>?a=1&b='",
        page_title="a site",
        author="somebody",
    )
    made.add(
        2, 2, Status.REJECTED, data=picture(77) + SCRIPT, reason="embedded_script", detail=HOSTILE
    )
    made.add(
        3,
        0,
        Status.REJECTED,
        reason="same_picture_other_person",
        detail="Q1",
        duplicate_of=kept[1].id,
    )
    made.add(3, 1, Status.VERIFIED)
