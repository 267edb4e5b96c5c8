"""A data folder to clean: real catalogue, files and log.

Pictures are put in as `store` puts them.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from celebcollect.bus.base import TopicSpec
from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.catalogue.state import SearchState
from celebcollect.checks import build_checks
from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.domain.records import Image, Status, image_id, now
from celebcollect.domain.tally import Tally
from celebcollect.images.folder import ImageFolder
from celebcollect.pictures.decode import inspect
from celebcollect.pictures.formats import EXTENSIONS
from celebcollect.stages.clean.dry_run import foresee
from celebcollect.stages.clean.stage import clean_people
from celebcollect.stages.proofs import file_title

TOPIC = "dataclean"


@cache
def texture(seed: int, width: int = 160, height: int = 160) -> Pillow.Image:
    """
    Draw coarse and fine noise like a photograph's.

    Flat drawings would all have the same perceptual hash.
    """
    source = np.random.default_rng(seed)
    coarse, fine = (
        Pillow.fromarray(source.integers(0, 256, (side, side, 3), dtype=np.uint8)).resize(
            (width, height)
        )
        for side in (9, width // 4)
    )
    return Pillow.blend(coarse, fine, 0.2)


@cache
def jpeg(seed: int, *, side: int = 160, quality: int = 90) -> bytes:
    """Encode a texture; the same seed with another side or quality is a near copy."""
    out = io.BytesIO()
    texture(seed, 320, 320).resize((side, side), Pillow.Resampling.LANCZOS).save(
        out, "JPEG", quality=quality
    )
    return out.getvalue()


@dataclass
class World:
    """Everything under one data folder; `reopen` what a killed process left with a new World."""

    root: Path
    clean: CleanConfig = field(default_factory=lambda: CleanConfig(faces="off"))
    store: StoreConfig = field(default_factory=StoreConfig)

    def __post_init__(self) -> None:
        self.catalogue = EmbeddedCatalogue(self.root / "catalogue.sqlite3")
        self.folder = ImageFolder(self.root)
        self.bus = EmbeddedBus(self.root / "log")
        self.bus.ensure([TopicSpec(TOPIC, compacted=True)])

    def close(self) -> None:
        self.bus.close()
        self.catalogue.close()

    def image(
        self,
        qid: str,
        data: bytes,
        url: str,
        *,
        source: str = "google",
        path: str | None = None,
        page_url: str | None = None,
    ) -> Image:
        """Make the row that `store` would write."""
        facts = inspect(data, max_pixels=10**9)
        sha256 = hashlib.sha256(data).hexdigest()
        return Image(
            id=image_id(qid, url),
            qid=qid,
            name=f"Person {qid}",
            status=Status.STORED,
            source=source,
            url=url,
            page_url=page_url,
            sha256=sha256,
            path=path or f"images/{qid}/{sha256}.{EXTENSIONS[facts.format]}",
            bytes=len(data),
            format=facts.format,
            width_px=facts.width_px,
            height_px=facts.height_px,
            phash=facts.phash,
            phash_version=facts.phash_version,
            stored_at=now(),
        )

    def put(
        self,
        qid: str,
        data: bytes,
        url: str,
        *,
        source: str = "google",
        page_url: str | None = None,
    ) -> Image:
        """Store a picture: file first, row second."""
        image = self.image(qid, data, url, source=source, page_url=page_url)
        self.folder.put(qid, image.sha256 or "", (image.path or "").rpartition(".")[2], data)
        self.catalogue.record_stored([image])
        if source == "commons" and page_url:
            self.prove(image, page_url.partition("File:")[2])
        return image

    def prove(self, image: Image, title: str = "", *, source: str = "commons") -> None:
        """Write down what the source's own process has proved: the file's title, or the person."""
        states = self.catalogue.states([image.qid])
        before = states[image.qid].searches.get(source, SearchState())
        proved = {**(before.portraits or {}), image.id: file_title(title)}
        self.catalogue.record_search(image.qid, source, SearchState(rounds=1, portraits=proved))
        self.catalogue.clean_again([image.qid])

    def run(
        self, *, qids: Sequence[str] | None = None, dry_run: bool = False, **changes: Any
    ) -> Tally:
        """Clean everybody (or `qids`), with changed thresholds."""
        clean = self.clean.model_copy(
            update={key: value for key, value in changes.items() if key in CleanConfig.model_fields}
        )
        store = self.store.model_copy(
            update={key: value for key, value in changes.items() if key in StoreConfig.model_fields}
        )
        tally = Tally()
        checks = build_checks(clean, store)
        if dry_run:
            stop = threading.Event()
            foresee(self.catalogue, self.folder, checks, tally=tally, stop=stop, qids=qids)
            return tally
        clean_people(
            self.catalogue,
            self.folder,
            self.bus,
            checks,
            topic=TOPIC,
            tally=tally,
            stop=threading.Event(),
            qids=qids,
        )
        return tally

    def rows(self) -> dict[str, Image]:
        """Return all rows by URL."""
        return {image.url: image for image in self.catalogue.images()}

    def verdicts(self) -> dict[str, tuple[str, str | None]]:
        """Return status and reason by URL."""
        return {url: (image.status.value, image.reason) for url, image in self.rows().items()}

    def published(self) -> list[tuple[str | None, bool]]:
        """Return the messages on the topic: key, and whether it has a value."""
        return [(message.key, message.value is not None) for message in self.bus.read(TOPIC)]

    def live(self) -> dict[str, dict[str, Any]]:
        """Return what the topic says now: the records of the pictures that are not withdrawn."""
        newest = {message.key or "": message.value for message in self.bus.read(TOPIC)}
        return {key: json.loads(value) for key, value in newest.items() if value is not None}

    def end_of_log(self) -> int:
        """
        Return the offset of the newest message.

        A test sees by it whether anything was published since.
        """
        return max((message.offset for message in self.bus.read(TOPIC)), default=-1)

    def check_whole(self) -> None:
        """
        Assert that catalogue, files and topic tell the same story.

        Nothing is lost, nothing double, nothing stray.
        """
        images = list(self.catalogue.images())
        assert all(image.status in (Status.ACCEPTED, Status.REJECTED) for image in images)
        assert sorted(self.folder.files()) == sorted(
            {image.path for image in images if image.path and image.reason != "file_missing"}
        )
        accepted = {
            f"{image.qid}/{image.sha256}": image
            for image in images
            if image.status is Status.ACCEPTED
        }
        assert len(accepted) == sum(image.status is Status.ACCEPTED for image in images)
        assert {key: record["url"] for key, record in self.live().items()} == {
            key: image.url for key, image in accepted.items()
        }
        for image in images:
            place = "images/" if f"{image.qid}/{image.sha256}" in accepted else "quarantine/"
            assert image.reason == "file_missing" or (image.path or "").startswith(place), image
        assert not list(self.root.glob("tmp/*"))
