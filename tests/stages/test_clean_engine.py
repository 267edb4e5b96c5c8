"""A face engine that dies while it looks at a picture.

Memory ran out, or the picture is to blame.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from celebcollect.checks import build_checks
from celebcollect.checks.faces import FaceCheck
from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.domain.tally import Tally
from celebcollect.stages.clean.restore import restore
from celebcollect.stages.clean.stage import clean_people
from celebcollect.vision.base import Embedding, Engine, Face, Pixels
from celebcollect.vision.numbers import UNTESTED, EngineNumbers
from celebcollect.vision.workers import Workers
from stages.cleaning import TOPIC, World, jpeg

pytestmark = pytest.mark.slow

QID = "Q1"


@dataclass(frozen=True)
class Deadly:
    """An engine that sees one face in everything, and is killed as long as a file is there."""

    flag: Path
    name: str = "deadly"
    numbers: EngineNumbers = UNTESTED
    detector: str = "deadly"
    embedder: str = "deadly"

    def load(self) -> Engine:
        return self

    def detect(self, pixels: Pixels) -> list[Face]:
        if self.flag.exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return [Face((10, 10, 110, 110))]

    def detect_hard(self, pixels: Pixels) -> list[Face]:
        return []

    def align(self, pixels: Pixels, face: Face, *, room: float = 1) -> Pixels:
        return pixels

    def embed(self, aligned: Pixels) -> Embedding:
        return np.ones(4, dtype=np.float32)


class Cleaner:
    """Cleans a world with such an engine, each time as a new process would."""

    def __init__(self, root: Path) -> None:
        self.world = World(root / "data")
        self.flag = root / "memory is short"
        self._spec = Deadly(self.flag)
        self._workers = Workers(self._spec, 1)

    def run(self) -> Tally:
        tally = Tally()
        checks = [
            *build_checks(CleanConfig(faces="off"), StoreConfig()),
            FaceCheck(CleanConfig(), self._spec, self._workers),
        ]
        clean_people(
            self.world.catalogue,
            self.world.folder,
            self.world.bus,
            checks,
            topic=TOPIC,
            tally=tally,
            stop=threading.Event(),
        )
        return tally

    def close(self) -> None:
        self._workers.close()
        self.world.close()


@pytest.fixture
def cleaner(tmp_path: Path) -> Iterator[Cleaner]:
    (tmp_path / "data").mkdir()
    cleaner = Cleaner(tmp_path)
    yield cleaner
    cleaner.close()


def test_a_picture_on_which_the_engine_died_is_measured_again(cleaner: Cleaner) -> None:
    """
    That memory ran out says nothing of the picture.

    The next cleaning, with the same models and settings, accepts it.
    """
    image = cleaner.world.put(QID, jpeg(1), "https://a.example/1.jpg")
    cleaner.flag.touch()

    first = cleaner.run()
    cleaner.flag.unlink()
    second = cleaner.run()

    assert first.as_dict() == {"counts": {"rejected": 1}, "reasons": {"face_engine_crashed": 1}}
    assert second.counts == {"restored": 1}
    assert cleaner.run().counts == {}
    assert set(cleaner.world.live()) == {f"{QID}/{image.sha256}"}
    cleaner.world.check_whole()


def test_a_picture_that_always_kills_the_engine_is_given_up(cleaner: Cleaner) -> None:
    """
    The third cleaning is the last that tries it.

    It stays in quarantine until a person restores it, which measures it again.
    """
    image = cleaner.world.put(QID, jpeg(1), "https://a.example/1.jpg")
    cleaner.flag.touch()

    tallies = [cleaner.run().counts for _ in range(4)]

    row = cleaner.world.rows()[image.url]
    assert tallies == [{"rejected": 1}, {"unchanged": 1}, {"unchanged": 1}, {}]
    assert (row.reason, row.detail) == ("face_engine_crashed", "attempt 3 of 3")
    cleaner.world.check_whole()
    cleaner.flag.unlink()
    restore(cleaner.world.catalogue, cleaner.world.folder, [f"{QID}/{image.sha256}"])
    assert cleaner.run().counts == {"restored": 1}
    row = cleaner.world.rows()[image.url]
    assert (row.restored_from, row.facts["faces"]["count"]) == (
        "face_engine_crashed: attempt 3 of 3",
        1,
    )
