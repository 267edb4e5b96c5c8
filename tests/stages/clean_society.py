"""People who share faces and files, and stories of what happens to them, for tests of cleaning.

Faces and files are points and hashes here; nothing is opened.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest

from celebcollect.catalogue.base import Catalogue
from celebcollect.catalogue.state import SearchState
from celebcollect.checks.base import Check
from celebcollect.checks.duplicate import Duplicate
from celebcollect.checks.face_facts import to_text
from celebcollect.checks.identity import Identity, embedding_version
from celebcollect.checks.shared import Shared
from celebcollect.config.sections import CleanConfig
from celebcollect.domain.records import Image, Status, image_id, now
from celebcollect.domain.tally import Tally
from celebcollect.images.base import ImageStore
from celebcollect.pictures.hash import PHASH_VERSION
from celebcollect.stages.clean.dry_run import foresee
from celebcollect.stages.clean.face_index import MIN_PICTURES
from celebcollect.stages.clean.person import clean_person
from celebcollect.stages.clean.stage import clean_people
from celebcollect.vision.dlib_engine import DlibSpec
from celebcollect.vision.workers import Workers
from training import point

PEOPLE = 3
PASSES = 4
"""Of everybody, after a change: each is told by those whom it touches, and looks once more."""

Verdict = tuple[str, str | None, str | None]
EMPTY: Mapping[str, Image] = {}


class NoFiles:
    """An image folder in which every file lies where it is asked for."""

    def find(self, path: str) -> str:
        return path

    @contextmanager
    def local(self, path: str) -> Iterator[Path]:
        yield Path(path)

    def place(self, path: str, *, quarantined: bool) -> str:
        name = path.partition("/")[2]
        return f"{'quarantine' if quarantined else 'images'}/{name}"


class NoTopic:
    """A log that takes what it is given."""

    def publish(self, topic: str, items: Sequence[Any]) -> None:
        """Forget it."""


@dataclass
class Society:
    """People of one example in a catalogue that many examples share."""

    catalogue: Catalogue
    first: int
    settings: dict[str, int] = field(default_factory=dict)
    cleaned: list[str] = field(default_factory=list)

    def qid(self, person: int) -> str:
        return f"Q{self.first + person}"

    def put(self, person: int, photograph: int, face: int, *, portrait: bool = False) -> None:
        """Store a photograph as a person's, as the proved portrait where that is so."""
        image = self.row(person, photograph, face)
        self.catalogue.record_stored([image])
        if portrait:
            proved = SearchState(rounds=1, portraits={image.id: ""})
            self.catalogue.record_search(image.qid, "tmdb", proved)
            self.catalogue.clean_again([image.qid])

    def row(self, person: int, photograph: int, face: int) -> Image:
        # Photographs of one family are near copies; an offset keeps examples apart.
        family, variant = divmod(photograph, 4)
        start = int.from_bytes(hashlib.sha256(b"%d %d" % (self.first, family)).digest()[:8], "big")
        phash = start ^ ((1 << (2 * variant)) - 1)
        sha256 = hashlib.sha256(b"%d %d" % (self.first, photograph)).hexdigest()
        qid, url = self.qid(person), f"https://a.example/{self.first}/{photograph}.jpg"
        vector = point(self.first + face, photograph)  # nobody of another example
        facts: dict[str, Any] = {
            "faces": {"version": "1", "size": [300, 300], "faces": [[2.0, 10, 10, 200, 200]]},
            "identity": {
                "version": embedding_version(DlibSpec()),
                "embedding": to_text(vector),
            },
        }
        return Image(
            id=image_id(qid, url),
            qid=qid,
            name=qid,
            status=Status.STORED,
            source="google",
            url=url,
            sha256=sha256,
            path=f"images/{qid}/{sha256}.jpg",
            bytes=1000 + photograph,
            format="jpeg",
            width_px=300,
            height_px=300,
            phash=f"{phash:016x}",
            phash_version=PHASH_VERSION,
            stored_at=now(),
            facts=facts,
        )

    def restore(self, person: int, number: int) -> None:
        """Restore one of a person's rejected pictures, as `restore` does."""
        rows = sorted(
            (
                row
                for row in self.catalogue.person_images(self.qid(person))
                if row.status is Status.REJECTED
            ),
            key=lambda row: row.bytes or 0,
        )
        if rows:
            row = rows[number % len(rows)]
            restored = row.model_copy(update={"restored_from": str(row.reason)})
            self.catalogue.record_verdicts([restored])
            self.catalogue.clean_again([row.qid])

    def checks(self) -> list[Check]:
        """Return the checks that compare pictures, with the limits of now."""
        clean = CleanConfig(min_cluster=self.settings.get("min_cluster", 2))
        bits = self.settings.get("bits", 4)
        return [
            Shared(bits, near_bits=6),
            Duplicate(6),
            Identity(clean, DlibSpec(), Workers(DlibSpec(), 1)),
        ]

    def foreseen(self) -> dict[tuple[int, str], Verdict]:
        """Return what a dry run says that cleaning will make of each picture."""
        told = foresee(
            self.catalogue,
            cast("ImageStore", NoFiles()),
            self.checks(),
            tally=Tally(),
            stop=threading.Event(),
            qids=[self.qid(person) for person in range(PEOPLE)],
        )
        changed = {after.id: after for _, after in told.pictures}
        return self.verdicts(changed)

    def clean(self, order: Sequence[int] = (), *, passes: int = PASSES, workers: int = 1) -> None:
        """Clean the people of this example until nobody is left, within so many passes."""
        checks = self.checks()
        stop, self.cleaned = threading.Event(), []

        def counted(*arguments: Any, **named: Any) -> Any:
            self.cleaned.append(arguments[1])
            assert len(self.cleaned) <= passes * PEOPLE, self.cleaned
            return clean_person(*arguments, **named)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("celebcollect.stages.clean.stage.clean_person", counted)
            # Threads of one process would share their claims.
            owners = (f"elsewhere/{number}" for number in count())
            patch.setattr("celebcollect.disk.owners.this_owner", lambda: next(owners))
            everybody = [self.qid(person) for person in range(PEOPLE)]

            def work(qids: list[str]) -> None:
                clean_people(
                    self.catalogue,
                    cast("ImageStore", NoFiles()),
                    cast("Any", NoTopic()),
                    checks,
                    topic="dataclean",
                    tally=Tally(),
                    stop=stop,
                    qids=qids,
                )

            for person in order:
                work([self.qid(person)])
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(work, [list(everybody) for _ in range(workers)]))
            # A worker leaves alone whom another one is at.
            work(everybody)

    def verdicts(self, changed: Mapping[str, Image] = EMPTY) -> dict[tuple[int, str], Verdict]:
        """Return what became of each picture, or would with these rows changed."""
        return {
            (person, row.url.rpartition("/")[2]): (
                row.status.value,
                row.reason,
                (row.duplicate_of or "").partition(":")[0] and self._person(row.duplicate_of or ""),
            )
            for person in range(PEOPLE)
            for row in (
                changed.get(row.id, row) for row in self.catalogue.person_images(self.qid(person))
            )
        }

    def _person(self, id_: str) -> str:
        return str(int(id_[1:].partition(":")[0]) - self.first)


counter = iter(range(100, 10**9, 10))


def play(society: Society, steps: Sequence[Any], *, often: bool) -> None:
    """Take the steps, and clean after each, or only when they are all taken."""
    for step in steps:
        match step:
            case ("put", person, photograph, face, portrait):
                society.put(person, photograph, face, portrait=portrait)
            case ("album", person, photograph, face, portrait):
                for at in range(MIN_PICTURES):
                    proved = portrait and at == 0
                    society.put(person, photograph + 4 * at, face, portrait=proved)
            case ("restore", person, number):
                society.restore(person, number)
            case ("set", key, value):
                society.settings[key] = value
        if often:
            society.clean()


def story(seed: int) -> list[Any]:
    """
    Draw steps: albums of one face or another, single pictures, restored ones, other limits.

    Most albums have one face, whoever's they are, and some photographs in common. Several steps
    are taken before anybody cleans, so that several people wait.
    """
    dice = random.Random(seed)
    steps: list[Any] = []
    for at in range(16):
        if at % 4 == 0:
            steps.append(("clean",))
        person = dice.randrange(PEOPLE)
        # Of one's own photographs, or of another one's.
        whose = person if dice.random() < 0.8 else dice.randrange(PEOPLE)
        photograph, proved = 40 * whose + dice.randrange(24), dice.random() < 0.1
        match dice.choice(["album", "album", "put", "restore", "set"]):
            case "album":
                steps.append(("album", person, photograph, dice.choice([0, 0, 0, 1]), proved))
            case "put":
                steps.append(("put", person, photograph, dice.randrange(3), proved))
            case "restore":
                steps.append(("restore", person, dice.randrange(6)))
            case "set":
                key, value = dice.choice(
                    [("bits", 1), ("bits", 4), ("bits", 6), ("min_cluster", 4)]
                )
                steps.append(("set", key, value))
    return steps


def told_at_each_cleaning(society: Society, steps: Sequence[Any], **cleaning: Any) -> list[Any]:
    """Take the steps, clean in the way that is asked for; return what each cleaning made of all."""
    said = []
    for step in [*steps, ("clean",)]:
        if step == ("clean",):
            society.clean(passes=8 * PASSES, **cleaning)
            said.append(society.verdicts())
        else:
            play(society, [step], often=False)
    return said
