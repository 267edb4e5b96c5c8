"""Measure what becomes of albums of photographs in which something is wrong with the portrait.

Each album holds four pictures of one person, some of another one, and a trusted portrait: one with
a larger copy beside it, one whose file was renamed on Commons, one that shows somebody else too, or
a blurred one; the other person is in the minority, or a co-star in the majority. Right is an album
of which every own picture stays that a check does not throw out by itself, in an album of its own,
and every other person's goes.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from clean_pictures import picture_of
from portrait_faults import (
    MAJORITY,
    MINORITY,
    SHOTS,
    Fault,
    Photographs,
    blurred,
    larger_copy,
    renamed,
    trusted,
    two_faces,
)

from celebcollect.checks.base import Picture
from celebcollect.vision import dlib_package
from celebcollect.vision.model_sets import YUNET_SFACE_SET

DRAWS = 20


@dataclass
class Kind:
    """One fault of a portrait, and what came of its draws."""

    name: str
    drawn: int = 0
    right: int = 0
    own: int = 0
    """Pictures of the person that stay in an album of their own."""
    unusable: Counter[str] = field(default_factory=Counter)
    """The others, by reason: they go whatever the portrait is."""
    lost: Counter[str] = field(default_factory=Counter)
    """Of one's own those that went, by reason."""
    wrong: int = 0
    wrong_kept: int = 0
    portrait: Counter[str] = field(default_factory=Counter)


FAULTS: dict[str, tuple[Fault, bool]] = {
    "a larger copy of the portrait": (larger_copy, False),
    "a renamed P18": (renamed, False),
    "a portrait with two faces": (two_faces, False),
    "a blurred portrait": (blurred, False),
    "a co-star in the majority": (trusted, True),
    "renamed and co-star": (renamed, True),
    "larger copy and co-star": (larger_copy, True),
    "two faces and co-star": (two_faces, True),
    "blurred and co-star": (blurred, True),
}
"""By name: how the portrait is made, and whether the others are more than one's own."""


def measure(some: Photographs, *, draws: int = DRAWS, seed: int = 3) -> Iterator[Kind]:
    """Yield what came of the draws of each kind."""
    for name, (fault, majority) in FAULTS.items():
        dice, kind = random.Random(seed), Kind(name)
        names = sorted(some.people)
        for _ in range(draws):
            me, other, third = dice.sample(names, 3)
            first, *rest = dice.sample(some.people[me], SHOTS + 1)
            others = dice.sample(some.people[other], MAJORITY if majority else MINORITY)
            own, wrong = ([picture_of(file) for file in files] for files in (rest, others))
            portrait = fault(some, first, dice.choice(some.people[third]), own)
            _count(kind, some, own, wrong, portrait)
        yield kind


def _count(
    kind: Kind, some: Photographs, own: list[Picture], wrong: list[Picture], portrait: Picture
) -> None:
    said = some.said([*own, *wrong, portrait])
    lost: Counter[str] = Counter()
    for one in own:
        if why := some.unusable(one):
            kind.unusable[why] += 1
            continue
        kind.own += 1
        if gone := said[one.image.id]:
            lost[gone] += 1
    strangers = sum(said[one.image.id] is None for one in wrong)
    kind.lost += lost
    kind.drawn += 1
    kind.right += not lost and not strangers
    kind.wrong += len(wrong)
    kind.wrong_kept += strangers
    kind.portrait[str(said[portrait.image.id] or "kept")] += 1


def bench_portraits(folder: Path) -> None:
    """Print a table for each installed engine."""
    engines = ["dlib"] if dlib_package.why_not() is None else []
    engines += [YUNET_SFACE_SET.name] if YUNET_SFACE_SET.is_here() else []
    for engine in engines:
        with tempfile.TemporaryDirectory() as place:
            some = Photographs(folder, Path(place), engine)
            files = sum(map(len, some.people.values()))
            print(
                f"  {engine}, {files} photographs of {len(some.people)} people, {DRAWS} draws each;"
                f" {some.skipped} people with fewer than {MAJORITY} photographs are left out"
            )
            for kind in measure(some):
                print(_line(kind), flush=True)


def _line(kind: Kind) -> str:
    kept = kind.own - kind.lost.total()
    parts = [
        f"all right in {kind.right:2} of {kind.drawn}",
        f"own kept {kept} of {kind.own}{_reasons(kind.lost)}",
        f"{kind.unusable.total()} more unusable by themselves{_reasons(kind.unusable)}",
        f"wrong kept {kind.wrong_kept} of {kind.wrong}",
        f"the portrait{_reasons(kind.portrait)}",
    ]
    return f"    {kind.name:<30} {'; '.join(parts)}"


def _reasons(reasons: Counter[str]) -> str:
    told = ", ".join(f"{n} {why}" for why, n in reasons.most_common())
    return f" ({told})" if told else ""


def main() -> None:
    """Print the tables for a folder laid out as the captured faces are."""
    folder = (
        Path(sys.argv[1])
        if sys.argv[1:]
        else Path(__file__).parents[2] / "shared" / "data" / "faces"
    )
    if not (folder / "labels.csv").is_file():
        sys.exit(f"no photographs in {folder}: name another folder")
    print("albums in which something is wrong with the portrait", flush=True)
    bench_portraits(folder)


if __name__ == "__main__":
    main()
