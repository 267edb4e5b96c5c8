"""Ask the check of identity about albums of people it has never seen, group by group.

The embeddings are those of people who had no part in the choice of the constants or of the
prototypes. An album holds 60 to 95 % own pictures; the others are of many people of the same group
and sex, of anybody, or of one co-star.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from fair_people import ENGINES, Numbers, asked_for, read_people

from celebcollect.checks.base import Acceptance, Picture
from celebcollect.checks.face_facts import to_text
from celebcollect.checks.identity import Identity
from celebcollect.config.sections import CleanConfig
from celebcollect.domain.records import Image, Status
from celebcollect.vision.numbers import EngineNumbers
from celebcollect.vision.workers import Workers


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

    def __init__(self, file: Path, engine: str, numbers: EngineNumbers | None = None) -> None:
        people = read_people(file, engine)
        self.person, self.group, self.sex = people.person, people.group, people.sex
        self.usable, self.points, self.seen = people.usable, people.points, people.seen
        self.check = Identity(CleanConfig(), people.spec, Workers(people.spec, 1))
        self.check.numbers = numbers or self.check.numbers
        self._pictures = [self._picture(index) for index in range(len(self.points))]

    def figures(
        self,
        *,
        draws: int,
        seed: int,
        portrait: bool = True,
        owners: Collection[str] | None = None,
    ) -> dict[str, GroupFigures]:
        """
        Return the figures of each group, and of all.

        Args:
            draws: Albums of each person.
            seed: Another one draws other albums.
            portrait: One good picture of each person is the trusted portrait.
            owners: Whose albums are drawn, and whose pairs counted; None: everybody's.
        """
        mine = np.isin(self.person, self.person if owners is None else list(owners))
        source = np.random.default_rng(seed)
        found: defaultdict[str, GroupFigures] = defaultdict(GroupFigures)
        for _ in range(draws):
            for own, wrong, reference in self.albums(source, mine):
                kept = self._kept(own, wrong, reference if portrait else None)
                right = kept & {int(index) for index in own if self.usable[index]}
                usable = self.usable & (self.person == self.person[own[0]])
                for name in (str(self.group[own[0]]), "all"):
                    found[name].usable += int(usable.sum())
                    found[name].kept += len(right)
                    found[name].wrong += len(wrong)
                    found[name].wrong_kept += len(kept & set(map(int, wrong)))
        self._count_pairs(found, mine)
        return dict(found)

    def albums(
        self, source: np.random.Generator, mine: Numbers, others: Numbers | None = None
    ) -> Iterator[tuple[Numbers, Numbers, int]]:
        """
        Yield own pictures, wrong ones and the reference of an album of each person.

        Args:
            source: Draws them.
            mine: Rows of the people whose albums they are.
            others: Rows from which wrong pictures are taken; None: all.
        """
        pool_of_all = self.seen if others is None else self.seen & others
        for person in np.unique(self.person[mine]):
            own = np.flatnonzero((self.person == person) & self.seen)
            good = own[self.usable[own]]
            if len(own) < 4 or not len(good):
                continue
            share = source.uniform(0.6, 0.95)
            count = max(1, round(len(own) * (1 - share) / share))
            anybody = np.flatnonzero((self.person != person) & pool_of_all)
            alike = anybody[
                (self.group[anybody] == self.group[own[0]])
                & (self.sex[anybody] == self.sex[own[0]])
            ]
            pool = alike if source.random() < 0.5 and len(alike) >= count else anybody
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

    def _count_pairs(self, found: dict[str, GroupFigures], mine: Numbers) -> None:
        """Count the pairs of two people of one group and sex of whom at least one is `mine`."""
        faces = np.flatnonzero(self.seen)
        within = self.check.numbers.likeness.scores(self.points[faces], self.points[faces]) <= 1
        person, group, sex = self.person[faces], self.group[faces], self.sex[faces]
        two = (person[:, None] != person[None]) & (sex[:, None] == sex[None])
        concerned = mine[faces][:, None] | mine[faces][None]
        one_group = two & concerned & (group[:, None] == group[None])
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
    file = asked_for()
    print(f"identity by group, {file.name}: percent of usable own pictures kept, and purity")
    bench_fairness(file)


if __name__ == "__main__":
    main()
