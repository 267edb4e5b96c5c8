"""A topic of clean pictures for `train`.

Synthetic faces are points in space; drawn ones go through the real engine.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from celebcollect.bus.base import Bus, TopicSpec
from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.checks.face_facts import embedding_facts, published, seen_facts, to_text
from celebcollect.checks.identity import embedding_version
from celebcollect.demo.drawing import SIDE_PX, encode, portrait
from celebcollect.domain.clean_record import CleanRecord
from celebcollect.domain.records import Image, Status
from celebcollect.domain.tally import Tally
from celebcollect.domain.terms import MlUse
from celebcollect.images.folder import ImageFolder
from celebcollect.pictures.file import PictureFile
from celebcollect.stages.train import Shelf, Trained, TrainSettings, train
from celebcollect.vision import dlib_package
from celebcollect.vision.base import Engine, FacesSeen
from celebcollect.vision.dlib_engine import DlibSpec
from celebcollect.vision.looking import FaceInPicture, detect, embed
from support import missing

TOPIC = "dataclean"
VERSION = "test-1"
SPREAD = 0.018
"""Deviation of each of 128 numbers: photographs of one person are about 0.29 apart."""


def point(person: int, shot: int) -> np.ndarray:
    """Return a synthetic embedding; two people are about 1.4 apart."""
    middle = np.random.default_rng(person).normal(size=128)
    noise = np.random.default_rng((person, shot, 7)).normal(scale=SPREAD, size=128)
    return (middle / np.linalg.norm(middle) + noise).astype(np.float32)


def record(person: int, shot: int, vector: np.ndarray | None = None, **facts: Any) -> CleanRecord:
    """Return an accepted picture of Q<person>."""
    qid, sha256 = f"Q{person}", hashlib.sha256(f"{person} {shot}".encode()).hexdigest()
    told: dict[str, Any] = {
        "qid": qid,
        "name": f"Person {person}",
        "sha256": sha256,
        "path": f"images/{qid}/{sha256}.jpg",
        "url": f"https://a.example/{person}/{shot}.jpg",
        "page_url": f"https://pages.example/{person}/{shot}",
        "source": "commons",
        "ml_use": MlUse.UNSPECIFIED,
        "bytes": 1000,
        "format": "jpeg",
        "width_px": 400,
        "height_px": 400,
        "embedding": to_text(point(person, shot) if vector is None else vector),
        "embedding_version": VERSION,
    }
    return CleanRecord.model_validate({**told, **facts})


class School:
    """A data folder with a log, and a way to train."""

    def __init__(self, folder: Path, bus: Bus | None = None, topic: str = TOPIC) -> None:
        self.folder, self.topic = folder, topic
        self.bus: Bus = bus or EmbeddedBus(folder / "log")
        self.bus.ensure([TopicSpec(topic, compacted=True)])
        self.tally = Tally()

    def publish(self, *records: CleanRecord) -> None:
        self.bus.publish(self.topic, [(record.key, record.to_json()) for record in records])

    def people(self, *people: int, shots: int = 10, with_files: bool = False) -> None:
        """Publish so many pictures of each; their files matter where the folder has others."""
        records = [record(person, shot) for person in people for shot in range(shots)]
        for one in records if with_files else ():
            file = self.folder / one.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(bytes(one.bytes))
        self.publish(*records)

    def train(
        self, name: str = "faces", *, stop: threading.Event | None = None, **settings: Any
    ) -> Trained:
        self.tally = Tally()
        given = TrainSettings(
            self.topic, **{"threshold": 0.55, "forgotten": lambda qids: set(), **settings}
        )
        return train(
            self.bus,
            ImageFolder(self.folder),
            Shelf(self.folder, name),
            given,
            self.tally,
            stop=stop or threading.Event(),
        )

    def file(self, name: str = "faces") -> Path:
        return Shelf(self.folder, name).model

    def lag(self) -> int:
        return next(
            topic.lag.get("train", topic.messages)
            for topic in self.bus.topics()
            if topic.name == self.topic
        )


DRAWN = (1, 3, 6)
"""Drawn people whose faces are found in all their shots, 0.38 and more apart."""
STRANGER = 2
"""Drawn too, 0.34 and more from the others."""
DRAWN_DISTANCE = 0.29
"""Largest distance of one drawn person's shots; they are more alike than photographs are."""


def need_engine() -> None:
    """Skip the test where the extra `faces` is not installed."""
    reason = dlib_package.why_not()
    if reason:
        missing(f"a face engine ({reason})")


def shot_bytes(person: int, shot: int) -> bytes:
    """Return the file of a drawn photograph."""
    return encode(portrait(person, shot))


@cache
def engine() -> Engine:
    need_engine()
    return DlibSpec().load()


@cache
def seen(person: int, shot: int) -> Image:
    """Return what `clean` would know of a drawn photograph."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "shot"
        file.write_bytes(shot_bytes(person, shot))
        picture = PictureFile("0", file, SIDE_PX, SIDE_PX)
        found = detect(engine(), picture)
        assert isinstance(found, FacesSeen)
        embedding = embed(engine(), FaceInPicture(picture, found.faces[0]))
    identity = {"version": embedding_version(DlibSpec()), **embedding_facts(embedding)}
    return Image(
        id="0",
        qid="Q1",
        name="nobody",
        status=Status.STORED,
        source="file",
        url="",
        width_px=SIDE_PX,
        height_px=SIDE_PX,
        facts={"faces": seen_facts(found), "identity": identity},
    )


def drawn(person: int, shot: int, folder: Path) -> CleanRecord:
    """Put a drawn photograph into a data folder and describe it as `clean` publishes it."""
    data = shot_bytes(person, shot)
    sha256, qid = hashlib.sha256(data).hexdigest(), f"Q{person}"
    path = ImageFolder(folder).put(qid, sha256, "jpg", data)
    known = published(seen(person, shot))
    return record(
        person,
        shot,
        sha256=sha256,
        path=path,
        bytes=len(data),
        width_px=SIDE_PX,
        height_px=SIDE_PX,
        **known,
    )
