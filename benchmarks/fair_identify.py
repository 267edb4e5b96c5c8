"""Ask a trained model about people whom it knows and about strangers, group by group.

Half of the people of each group are known, the others are strangers, in many splits. The model
learns two thirds of the known people's photographs and is asked about the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from fair_people import ENGINES, Numbers, asked_for, read_people

from celebcollect.stages.train.model import FaceSample, Model, fit
from celebcollect.stages.train.rule import with_fair_rule
from celebcollect.vision.numbers import EngineNumbers

TRAINING = 0.7
"""Share of a known person's photographs that the model learns."""


@dataclass
class NamingFigures:
    """What a model said of the people of one group, in all splits."""

    asked: int = 0
    """Photographs of known people that it had not seen."""
    right: int = 0
    wrong: int = 0
    strangers: int = 0
    taken: int = 0
    """Strangers that were taken for somebody."""
    photographs: set[int] = field(default_factory=set)
    """The strangers, each once."""

    @property
    def right_percent(self) -> float:
        """Return how many of the known people's photographs are named right."""
        return 100 * self.right / max(1, self.asked)

    @property
    def taken_percent(self) -> float:
        """Return how many of the strangers are taken for somebody."""
        return 100 * self.taken / max(1, self.strangers)


class FairNaming:
    """One engine's embeddings of many people."""

    def __init__(
        self,
        file: Path,
        engine: str,
        *,
        rate: float = 0.01,
        numbers: EngineNumbers | None = None,
    ) -> None:
        people = read_people(file, engine)
        self._limits, self._rate = numbers or people.spec.numbers, rate
        seen = people.seen
        self._points, self._group = people.points[seen], people.group[seen]
        names, self._person = np.unique(people.person[seen], return_inverse=True)
        self.names: list[str] = [str(name) for name in names]
        self._people = len(names)
        self.models: list[Model] = []
        """Those of the last `figures`."""

    def figures(
        self,
        *,
        splits: int,
        seed: int,
        known: int | None = None,
        people: Collection[str] | None = None,
    ) -> dict[str, NamingFigures]:
        """
        Return the figures of each group, and of all.

        Args:
            splits: How often people are drawn.
            seed: Another one draws other people.
            known: How many people are known; None: half of each group.
            people: Those who are known, always the same; None: drawn anew for each split.
        """
        named = None if people is None else np.flatnonzero(np.isin(self.names, list(people)))
        source = np.random.default_rng(seed)
        found: defaultdict[str, NamingFigures] = defaultdict(NamingFigures)
        self.models = []
        for _ in range(splits):
            mine = self._drawn(source, known) if named is None else named
            rows = np.array([row for one in mine for row in self._learnt(source, int(one))])
            self.models.append(self.taught(rows))
            self._count(self.models[-1], mine, rows, found)
        return dict(found)

    def _drawn(self, source: np.random.Generator, known: int | None) -> Numbers:
        if known is not None:
            return source.permutation(self._people)[:known]
        groups = np.array(
            [self._group[self._person == person][0] for person in range(self._people)]
        )
        halves = []
        for group in np.unique(groups):
            some = source.permutation(np.flatnonzero(groups == group))
            halves.append(some[: int(len(some) / 2 + source.random())])
        return np.concatenate(halves)

    def _learnt(self, source: np.random.Generator, person: int) -> Iterator[int]:
        mine = source.permutation(np.flatnonzero(self._person == person))
        yield from mine[: max(2, round(TRAINING * len(mine)))]

    def taught(self, rows: Numbers) -> Model:
        """Return a model of these photographs, with the rule that `train` would give it."""
        samples = [
            FaceSample(f"Q{self._person[row] + 1}", "somebody", f"{row:064x}", self._points[row])
            for row in rows
        ]
        model = fit(samples, threshold=1, embedding_version="")
        return with_fair_rule(model, self._limits, self._rate)

    def _count(
        self, model: Model, people: Numbers, rows: Numbers, found: dict[str, NamingFigures]
    ) -> None:
        asked = np.setdiff1d(np.arange(len(self._points)), rows)
        guesses = model.guess(self._points[asked])
        for row, guess, near in zip(asked, guesses.people, guesses.known, strict=True):
            for name in (str(self._group[row]), "all"):
                figures = found[name]
                if self._person[row] not in people:
                    figures.photographs.add(int(row))
                    figures.strangers += 1
                    figures.taken += int(near)
                    continue
                hit = model.people[guess].qid == f"Q{self._person[row] + 1}"
                figures.asked += 1
                figures.right += int(hit and near)
                figures.wrong += int(near and not hit)


def bench_naming(file: Path, *, splits: int = 20) -> None:
    """Print by group how many are named right and how many strangers are taken for somebody."""
    for engine in ENGINES:
        naming = FairNaming(file, engine)
        figures = naming.figures(splits=splits, seed=13)
        limits = [model.threshold for model in naming.models]
        print(
            f"  {engine:<12} named right  wrong   strangers taken of photographs"
            f"   (limit {min(limits):.3f} to {max(limits):.3f})"
        )
        for name, one in sorted(figures.items()):
            wrong = 100 * one.wrong / max(1, one.asked)
            print(
                f"  {name:<12} {one.right_percent:9.1f} % {wrong:5.1f} %"
                f" {one.taken_percent:15.2f} % {len(one.photographs):14}"
            )


def main() -> None:
    """Print the table for the embeddings that are named, or those beside the photographs."""
    file = asked_for()
    print(f"identify by group, {file.name}: 1 % of strangers asked for, half of the people known")
    bench_naming(file)


if __name__ == "__main__":
    main()
