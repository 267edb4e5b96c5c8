"""Ask the check of identity about albums of people it has never seen, group by group.

The embeddings are those of people who had no part in the choice of the constants or of the
prototypes. An album holds 60 to 95 % own pictures; the others are of many people of the same group
and sex, of anybody, or of one co-star.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from celebcollect.checks.base import Acceptance, Picture
from celebcollect.checks.face_facts import to_text
from celebcollect.checks.identity import Identity
from celebcollect.config.sections import CleanConfig
from celebcollect.domain.records import Image, Status
from celebcollect.vision.base import EngineSpec
from celebcollect.vision.dlib_engine import DlibSpec
from celebcollect.vision.numbers import YUNET_SFACE
from celebcollect.vision.onnx_engine import OnnxSpec
from celebcollect.vision.workers import Workers

SFACE = OnnxSpec(
    "", "", "0..255", "yunet-2023mar", "sface-2021dec", name="yunet-sface", numbers=YUNET_SFACE
)
ENGINES: dict[str, tuple[EngineSpec, str, str]] = {
    "dlib": (DlibSpec(), "dlib", "hog_width_px"),
    "yunet-sface": (SFACE, "sface", "yunet_width_px"),
}
"""By name: the engine, and the arrays of its embeddings and of the widths of its faces."""

Numbers = npt.NDArray[Any]


@dataclass
class GroupFigures:
    """What became of the albums of one group."""

    usable: int = 0
    """Own pictures with one usable face, whether the detector finds it or not."""
    kept: int = 0
    wrong: int = 0
    """Pictures of others that were mixed in."""
    wrong_kept: int = 0
    pairs: int = 0
    """Pairs of two people of one sex."""
    pairs_within: int = 0
    """Those that score as one person."""

    @property
    def kept_percent(self) -> float:
        """Return how many of the usable own pictures stay."""
        return 100 * self.kept / max(1, self.usable)

    @property
    def purity_percent(self) -> float:
        """Return how many of the pictures that stay are the person's."""
        return 100 * self.kept / max(1, self.kept + self.wrong_kept)

    @property
    def pairs_percent(self) -> float:
        """Return how many pairs of two people of one sex match."""
        return 100 * self.pairs_within / max(1, self.pairs)


class FairAlbums:
    """One engine's embeddings of many people, as pictures that the check can be asked about."""

    def __init__(self, file: Path, engine: str) -> None:
        spec, embeddings, widths = ENGINES[engine]
        with np.load(file, allow_pickle=False) as arrays:
            self.person: Numbers = arrays["person"]
            self.group: Numbers = arrays["group"]
            self.sex: Numbers = arrays["sex"]
            self.usable: Numbers = arrays["usable"]
            self.points: Numbers = arrays[embeddings]
            width = arrays[widths]
        self.check = Identity(CleanConfig(), spec, Workers(spec, 1))
        self.seen: Numbers = ~np.isnan(self.points[:, 0]) & (
            width >= self.check.numbers.smallest_face_px
        )
        self._pictures = [self._picture(index) for index in range(len(self.points))]

    def figures(self, *, draws: int, seed: int, portrait: bool = True) -> dict[str, GroupFigures]:
        """
        Return the figures of each group, and of all.

        Args:
            draws: Albums of each person.
            seed: Another one draws other albums.
            portrait: One good picture of each person is the trusted portrait.
        """
        source = np.random.default_rng(seed)
        found: defaultdict[str, GroupFigures] = defaultdict(GroupFigures)
        for _ in range(draws):
            for own, wrong, reference in self._albums(source):
                kept = self._kept(own, wrong, reference if portrait else None)
                right = kept & {int(index) for index in own if self.usable[index]}
                usable = self.usable & (self.person == self.person[own[0]])
                for name in (str(self.group[own[0]]), "all"):
                    found[name].usable += int(usable.sum())
                    found[name].kept += len(right)
                    found[name].wrong += len(wrong)
                    found[name].wrong_kept += len(kept & set(map(int, wrong)))
        self._count_pairs(found)
        return dict(found)

    def _albums(self, source: np.random.Generator) -> Iterator[tuple[Numbers, Numbers, int]]:
        """Yield own pictures, wrong ones and the reference of an album of everybody."""
        for person in np.unique(self.person):
            own = np.flatnonzero((self.person == person) & self.seen)
            good = own[self.usable[own]]
            if len(own) < 4 or not len(good):
                continue
            share = source.uniform(0.6, 0.95)
            count = max(1, round(len(own) * (1 - share) / share))
            others = np.flatnonzero((self.person != person) & self.seen)
            alike = others[
                (self.group[others] == self.group[own[0]]) & (self.sex[others] == self.sex[own[0]])
            ]
            pool = alike if source.random() < 0.5 and len(alike) >= count else others
            if source.random() < 0.3:  # one co-star
                pool = pool[self.person[pool] == source.choice(np.unique(self.person[pool]))]
            wrong = source.choice(pool, min(count, len(pool)), replace=False)
            yield own, wrong, int(source.choice(good))

    def _kept(self, own: Numbers, wrong: Numbers, reference: int | None) -> set[int]:
        pictures = {f"Q1:{index:032x}": index for index in (int(index) for index in (*own, *wrong))}
        asked = [
            replace(self._pictures[index], reference=0 if index == reference else None)
            for index in pictures.values()
        ]
        return {
            pictures[said.id] for said in self.check.reject(asked) if isinstance(said, Acceptance)
        }

    def _picture(self, index: int) -> Picture:
        image = Image(
            id=f"Q1:{index:032x}",
            qid="Q1",
            name="somebody",
            status=Status.STORED,
            source="google",
            url=f"https://a.example/{index}.jpg",
            facts={
                self.check.name: {
                    "version": self.check.version,
                    "embedding": to_text(self.points[index]),
                }
            },
        )
        return Picture(image, Path("unread"))

    def _count_pairs(self, found: dict[str, GroupFigures]) -> None:
        faces = np.flatnonzero(self.seen)
        within = self.check.numbers.likeness.scores(self.points[faces], self.points[faces]) <= 1
        person, group, sex = self.person[faces], self.group[faces], self.sex[faces]
        two = (person[:, None] != person[None]) & (sex[:, None] == sex[None])
        one_group = two & (group[:, None] == group[None])
        for name, figures in found.items():
            pairs = one_group & (group == name)[:, None] if name != "all" else one_group
            figures.pairs = int(pairs.sum()) // 2
            figures.pairs_within = int((pairs & within).sum()) // 2


def bench_fairness(file: Path, *, draws: int = 10) -> None:
    """Print by group how many right pictures stay and how pure the albums are, for each engine."""
    for engine in ENGINES:
        albums = FairAlbums(file, engine)
        with_portrait = albums.figures(draws=draws, seed=1)
        without = albums.figures(draws=draws, seed=1, portrait=False)
        print(
            f"  {engine:<12} people   kept  purity  wrong kept   without a portrait: kept  purity"
            "   pairs of two of one sex that match"
        )
        for name, figures in sorted(with_portrait.items()):
            people = len(np.unique(albums.person[(albums.group == name) | (name == "all")]))
            bare = without[name]
            print(
                f"  {name:<12} {people:6} {figures.kept_percent:6.1f} {figures.purity_percent:7.2f}"
                f" {figures.wrong_kept:5} of {figures.wrong:<5}"
                f" {bare.kept_percent:23.1f} {bare.purity_percent:7.2f}"
                f" {figures.pairs_percent:12.2f} %"
            )


def main() -> None:
    """Print the table for the embeddings that are named, or those beside the photographs."""
    file = (
        Path(sys.argv[1])
        if sys.argv[1:]
        else Path(__file__).parents[2] / "shared" / "data" / "embeddings" / "calibration.npz"
    )
    if not file.is_file():
        sys.exit(f"no embeddings in {file}: name another file")
    print(f"identity by group, {file.name}: percent of usable own pictures kept, and purity")
    bench_fairness(file)


if __name__ == "__main__":
    main()
