"""Choose the constants of identity without some people, and look how these people fare.

Each of four folds holds out a quarter of the people of every group. On the others the constants
are chosen (`fair_choice`); with these the product's own check judges albums of those who were held
out, among wrong pictures of anybody, and a model that knows the others is asked about them as
strangers. So nobody is judged by constants that were chosen with their photographs in view.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np
from fair_albums import FairAlbums, GroupFigures
from fair_choice import choose
from fair_identify import FairNaming, NamingFigures
from fair_people import ENGINES, FacePeople, asked_for, read_people

from celebcollect.vision.numbers import EngineNumbers

FOLDS = 4
SEEDS = (1, 2, 3)

F = TypeVar("F", GroupFigures, NamingFigures)


@dataclass(frozen=True)
class Chosen:
    """What a fold chose, and what that was worth for the people whom it had not seen."""

    numbers: EngineNumbers
    albums: dict[str, GroupFigures]
    naming: dict[str, NamingFigures]


def folds(people: FacePeople, seed: int) -> list[list[str]]:
    """Return the people in four parts, each with a quarter of every group."""
    source = np.random.default_rng(seed)
    parts: list[list[str]] = [[] for _ in range(FOLDS)]
    group_of = people.group_of()
    order = 0
    for group in sorted(set(group_of.values())):
        mine = sorted(one for one, its in group_of.items() if its == group)
        for one in source.permutation(mine):
            parts[order % FOLDS].append(str(one))
            order += 1
    return parts


def held_out(file: Path, engine: str, *, seeds: Sequence[int], draws: int = 10) -> Iterator[Chosen]:
    """Yield what each fold chose and how its held-out people fared, for each seed."""
    people = read_people(file, engine)
    for seed in seeds:
        for part in folds(people, seed):
            others = sorted(set(map(str, people.everybody())) - set(part))
            numbers = choose(file, engine, others, seed=seed)
            albums = FairAlbums(file, engine, numbers)
            naming = FairNaming(file, engine, numbers=numbers)
            yield Chosen(
                numbers,
                albums.figures(draws=draws, seed=seed, owners=part),
                naming.figures(splits=draws, seed=seed, people=others),
            )


def summed(found: Sequence[dict[str, F]]) -> dict[str, F]:
    """Return the figures of all folds together, by group."""
    together: defaultdict[str, list[F]] = defaultdict(list)
    for one in found:
        for name, figures in one.items():
            together[name].append(figures)
    return {name: _sum(figures) for name, figures in together.items()}


def _sum(figures: Sequence[F]) -> F:
    total = type(figures[0])()
    for field in fields(total):
        for one in figures:
            before, more = getattr(total, field.name), getattr(one, field.name)
            setattr(total, field.name, before | more if isinstance(more, set) else before + more)
    return total


def told(numbers: EngineNumbers) -> str:
    """Return the constants that a fold chose, in short."""
    return f"{numbers.likeness.label}, link {numbers.link:.2f}, strangers {numbers.strangers.crowd}"


def bench_folds(file: Path, *, seeds: Sequence[int] = SEEDS) -> None:
    """Print by group how people fare whom the constants have not seen, and what was chosen."""
    for engine in ENGINES:
        chosen = list(held_out(file, engine, seeds=seeds))
        albums = summed([one.albums for one in chosen])
        naming = summed([one.naming for one in chosen])
        print(f"  {engine:<12}   kept  purity  wrong kept   pairs that match   strangers taken of")
        for name, figures in sorted(albums.items()):
            stranger = naming[name]
            print(
                f"  {name:<12} {figures.kept_percent:6.1f} {figures.purity_percent:7.2f}"
                f" {figures.wrong_kept:5} of {figures.wrong:<5} {figures.pairs_percent:12.2f} %"
                f" {stranger.taken_percent:14.2f} % {len(stranger.photographs):6}"
            )
        print(f"  known people named right: {naming['all'].right_percent:.1f} %; chosen in folds:")
        for constants, times in Counter(told(one.numbers) for one in chosen).most_common():
            print(f"    {times:2} times {constants}")


def main() -> None:
    """Print the tables for the embeddings that are named, or those beside the photographs."""
    file = asked_for()
    print(f"people held out, {file.name}: {FOLDS} folds, {len(SEEDS)} times")
    bench_folds(file)


if __name__ == "__main__":
    main()
