"""Another face engine measures what it lacks, and the former one's facts stay beside its own."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from celebcollect.checks import build_checks
from celebcollect.checks.base import Check
from celebcollect.checks.face_facts import published
from celebcollect.checks.faces import FaceCheck
from celebcollect.checks.identity import Identity
from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.domain.tally import Tally
from celebcollect.stages.clean.dry_run import Foreseen, foresee
from celebcollect.stages.clean.restore import restore
from celebcollect.stages.clean.stage import clean_people
from celebcollect.vision.base import Engine, EngineCrashed, Face, FacesSeen
from celebcollect.vision.fingerprint import AROUND
from celebcollect.vision.looking import FaceInPicture, FaceMeasured
from celebcollect.vision.numbers import UNTESTED, EngineNumbers
from celebcollect.vision.registration import SIDE
from celebcollect.vision.workers import Workers
from stages.cleaning import TOPIC, World, jpeg

CLEAN = CleanConfig(min_cluster=1)


@dataclass(frozen=True)
class Eye:
    """An engine that sees one face of one width in everything."""

    name: str
    width_px: float
    numbers: EngineNumbers = UNTESTED

    @property
    def detector(self) -> str:
        return f"{self.name}-detector"

    @property
    def embedder(self) -> str:
        return f"{self.name}-embedder"

    def load(self) -> Engine:
        raise NotImplementedError


@dataclass
class Looks:
    """In place of worker processes: what an engine would see, and how often it was asked."""

    eye: Eye
    asked: list[str] = field(default_factory=list)
    dies: bool = False

    def run(self, _function: Any, wanted: Iterable[Any]) -> Iterator[tuple[str, Any]]:
        for one in wanted:
            self.asked.append(one.id)
            if self.dies:
                yield one.id, EngineCrashed()
            elif isinstance(one, FaceInPicture):
                embedding = np.full(4, self.eye.width_px, dtype=np.float32)
                yield one.id, FaceMeasured(embedding, np.zeros(SIDE**2 + AROUND**2 * 3, np.uint8))
            else:
                face = Face((5, 5, 5 + self.eye.width_px, 105))
                yield one.id, FacesSeen(160, 160, (face,), 1)


def checks(looks: Looks) -> list[Check]:
    workers = cast("Workers", looks)
    return [
        *build_checks(CleanConfig(faces="off"), StoreConfig()),
        FaceCheck(CLEAN, looks.eye, workers),
        Identity(CLEAN, looks.eye, workers),
    ]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    for number in range(2):
        world.put("Q1", jpeg(number), f"https://a.example/{number}.jpg")
    yield world
    world.close()


def clean(world: World, looks: Looks) -> Tally:
    tally = Tally()
    clean_people(
        world.catalogue,
        world.folder,
        world.bus,
        checks(looks),
        topic=TOPIC,
        tally=tally,
        stop=threading.Event(),
    )
    return tally


def foreseen(world: World, looks: Looks) -> Foreseen:
    return foresee(
        world.catalogue,
        world.folder,
        checks(looks),
        tally=Tally(),
        stop=threading.Event(),
    )


def test_switching_back_measures_nothing(world: World) -> None:
    """Verdicts, boxes and embeddings are those of the engine in use, each measured once."""
    sharp, blind = Looks(Eye("sharp", 100)), Looks(Eye("blind", 20))
    clean(world, sharp)
    first = [published(row) for row in world.rows().values()]
    told = foreseen(world, blind)
    assert len(blind.asked) == 2  # in memory alone: cleaning asks again

    gone = clean(world, blind)
    assert len(sharp.asked) == 2 * 2  # a face and an embedding of each
    assert len(blind.asked) == 2 * 2
    told_back, back = foreseen(world, sharp), clean(world, sharp)
    away, back_again = clean(world, blind), clean(world, sharp)

    assert str(told.total) == "2 accepted -> rejected (2 face_too_small)"
    assert (told.measured, told_back.measured) == (2, 0)
    assert str(told_back.total) == "2 rejected -> accepted (was 2 face_too_small)"
    assert gone.as_dict() == away.as_dict()
    assert gone.counts == {"withdrawn": 2}
    assert back.counts == back_again.counts == {"restored": 2}
    assert (len(sharp.asked), len(blind.asked)) == (4, 4)
    assert [published(row) for row in world.rows().values()] == first
    world.check_whole()


def test_only_what_an_engine_lacks_is_measured(world: World) -> None:
    """A picture that came while the other one was in use, and no other."""
    one, other = Looks(Eye("one", 100)), Looks(Eye("other", 90))
    clean(world, one)
    clean(world, other)
    new = world.put("Q1", jpeg(7), "https://a.example/new.jpg")
    clean(world, other)
    one.asked.clear()

    clean(world, one)

    assert one.asked == [new.id, new.id]


def test_a_crash_of_one_engine_loses_nothing_of_the_other(world: World) -> None:
    """Neither when it is given up, nor when somebody restores the picture."""
    one, deadly = Looks(Eye("one", 100)), Looks(Eye("deadly", 90), dies=True)
    clean(world, one)
    for _ in range(3):
        clean(world, deadly)
    row = next(iter(world.rows().values()))
    assert (row.reason, row.detail) == ("face_engine_crashed", "attempt 3 of 3")
    restore(world.catalogue, world.folder, [f"Q1/{row.sha256}"])
    one.asked.clear()

    clean(world, one)

    assert one.asked == []
    assert {said[0] for said in world.verdicts().values()} == {"accepted"}


def test_of_many_engines_the_newest_are_kept(world: World) -> None:
    """A row does not grow with every model that was ever tried."""
    looks = [Looks(Eye(f"engine-{number}", 100)) for number in range(4)]
    for look in looks:
        clean(world, look)
    for look in looks:
        look.asked.clear()

    clean(world, looks[1])
    clean(world, looks[0])

    assert looks[1].asked == []
    assert len(looks[0].asked) == 4
