"""Measure what becomes of albums of photographs in which something is wrong with the portrait.

Each album holds four pictures of one person, some of another one, and a trusted portrait: one with
a larger copy beside it, one whose file was renamed, one that shows somebody else too, or a blurred
one; the other person is in the minority, or a co-star in the majority. Right is an album of which
every own picture with one usable face stays, and every other person's goes.
"""

from __future__ import annotations

import csv
import io
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from clean_pictures import picture_of
from PIL import Image as Pillow
from PIL import ImageFilter

from celebcollect.checks import build_checks
from celebcollect.checks.base import Check, Picture
from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.domain.records import Facts
from celebcollect.stages.clean.verdicts import judge
from celebcollect.vision import dlib_package
from celebcollect.vision.model_sets import YUNET_SFACE_SET

DRAWS = 20
SHOTS = 4
BLUR_OF_SIDE = 4 / 512
"""Deviation of the blur by the longer side: from 4 px of 512 on most pictures are `blurred`."""


@dataclass
class Kind:
    """One fault of a portrait, and what came of its draws."""

    name: str
    drawn: int = 0
    right: int = 0
    own: int = 0
    own_kept: int = 0
    wrong: int = 0
    wrong_kept: int = 0
    portrait: Counter[str] | None = None


class Photographs:
    """Pictures of people, each measured once by one engine for all albums."""

    def __init__(self, folder: Path, place: Path, engine: str) -> None:
        self._place = place
        clean = CleanConfig(faces="required", engine=engine)
        self.checks: list[Check] = build_checks(clean, StoreConfig())
        self.people = _people(folder)
        self._facts: dict[str, dict[str, Facts]] = {}

    def made(self, picture: Pillow.Image, name: str) -> Picture:
        """Return a picture as a file of its own; the same pixels are written once."""
        out = io.BytesIO()
        picture.convert("RGB").save(out, "JPEG", quality=92)
        file = self._place / name
        if not file.exists():
            file.write_bytes(out.getvalue())
        return picture_of(file)

    def said(self, pictures: list[Picture]) -> dict[str, str | None]:
        """Return the reason of each picture, None where it stays."""
        known = [
            replace(
                one,
                image=one.image.model_copy(update={"facts": self._facts.get(one.image.id, {})}),
            )
            for one in pictures
        ]
        found = judge(known, self.checks, measured=lambda _: None)
        self._facts |= {id_: image.facts for id_, image in found.images.items()}
        gone = {id_: said.reason.value for id_, (_, said) in found.rejections.items()}
        return {one.image.id: gone.get(one.image.id) for one in pictures}


def _people(folder: Path) -> dict[str, list[Path]]:
    people: defaultdict[str, list[Path]] = defaultdict(list)
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        for label in csv.DictReader(file):
            if label["person"]:
                people[label["person"]].append(folder / label["file"])
    return {person: files for person, files in people.items() if len(files) > SHOTS}


def _larger_copy(some: Photographs, file: Path, _: Path) -> Iterator[Picture]:
    with Pillow.open(file) as opened:
        width, height = opened.size
        larger = opened.resize((round(1.3 * width), round(1.3 * height)), Pillow.Resampling.LANCZOS)
    yield replace(picture_of(file), reference=0)
    yield some.made(larger, f"larger-{file.parent.name}-{file.name}")


def _renamed(_some: Photographs, file: Path, _: Path) -> Iterator[Picture]:
    # Which file P18 means is told by the source (tests/stages/test_portraits.py), so here it is
    # a portrait whose row says nothing of it.
    yield replace(picture_of(file), reference=0)


def _two_faces(some: Photographs, file: Path, third: Path) -> Iterator[Picture]:
    with Pillow.open(third) as left, Pillow.open(file) as right:
        height = max(left.height, right.height)
        halves = [
            one.convert("RGB").resize((round(one.width * height / one.height), height))
            for one in (left, right)
        ]
    both = Pillow.new("RGB", (sum(one.width for one in halves), height))
    both.paste(halves[0], (0, 0))
    both.paste(halves[1], (halves[0].width, 0))
    name = f"two-{third.parent.name}-{third.stem}-{file.parent.name}-{file.name}"
    yield replace(some.made(both, name), reference=0)


def _blurred(some: Photographs, file: Path, _: Path) -> Iterator[Picture]:
    with Pillow.open(file) as opened:
        radius = max(opened.size) * BLUR_OF_SIDE
        soft = opened.convert("RGB").filter(ImageFilter.GaussianBlur(radius))
    yield replace(some.made(soft, f"blurred-{file.parent.name}-{file.name}"), reference=0)


FAULTS: dict[str, tuple[Callable[[Photographs, Path, Path], Iterator[Picture]], bool]] = {
    "a larger copy of the portrait": (_larger_copy, False),
    "a renamed P18": (_renamed, False),
    "a portrait with two faces": (_two_faces, False),
    "a blurred portrait": (_blurred, False),
    "a co-star in the majority": (_renamed, True),
    "larger copy and co-star": (_larger_copy, True),
    "two faces and co-star": (_two_faces, True),
    "blurred and co-star": (_blurred, True),
}
"""By name: how the portrait is made, and whether the others are more than one's own."""


def measure(some: Photographs, *, draws: int = DRAWS, seed: int = 3) -> Iterator[Kind]:
    """Yield what came of the draws of each kind."""
    for name, (fault, majority) in FAULTS.items():
        dice, kind = random.Random(seed), Kind(name, portrait=Counter())
        names = sorted(some.people)
        for _ in range(draws):
            me, other, third = dice.sample(names, 3)
            first, *rest = dice.sample(some.people[me], SHOTS + 1)
            count = SHOTS + 2 if majority else 2
            others = some.people[other]
            own = [picture_of(file) for file in rest]
            wrong = [picture_of(file) for file in dice.sample(others, min(count, len(others)))]
            _count(
                kind, some, own, wrong, list(fault(some, first, dice.choice(some.people[third])))
            )
        yield kind


def _count(
    kind: Kind,
    some: Photographs,
    own: list[Picture],
    wrong: list[Picture],
    portrait: list[Picture],
) -> None:
    said = some.said([*own, *wrong, *portrait])
    # What the identity does not decide: a copy, or a picture in which no face is found.
    usable = [one for one in own if said[one.image.id] in (None, "other_person", "undecided")]
    kept = [one for one in usable if said[one.image.id] is None]
    strangers = [one for one in wrong if said[one.image.id] is None]
    kind.drawn += 1
    kind.right += len(kept) == len(usable) and not strangers
    kind.own += len(usable)
    kind.own_kept += len(kept)
    kind.wrong += len(wrong)
    kind.wrong_kept += len(strangers)
    if kind.portrait is not None:
        kind.portrait[str(said[portrait[0].image.id] or "kept")] += 1


def bench_portraits(folder: Path) -> None:
    """Print a table for each installed engine."""
    engines = ["dlib"] if dlib_package.why_not() is None else []
    engines += [YUNET_SFACE_SET.name] if YUNET_SFACE_SET.is_here() else []
    for engine in engines:
        with tempfile.TemporaryDirectory() as place:
            some = Photographs(folder, Path(place), engine)
            files = sum(map(len, some.people.values()))
            print(
                f"  {engine}, {files} photographs of {len(some.people)} people, {DRAWS} draws each"
            )
            for kind in measure(some):
                became = ", ".join(f"{n} {what}" for what, n in (kind.portrait or {}).items())
                print(
                    f"    {kind.name:<30} all right in {kind.right:2} of {kind.drawn}; own kept"
                    f" {kind.own_kept} of {kind.own}, wrong kept {kind.wrong_kept} of"
                    f" {kind.wrong}; the portrait: {became}",
                    flush=True,
                )


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
