"""Albums of photographs of which the portrait has a fault, and what the checks say of them."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from clean_pictures import picture_of
from PIL import Image as Pillow
from PIL import ImageFilter
from renamed_file import RenamedFiles

from celebcollect.checks import build_checks
from celebcollect.checks.base import Check, Picture
from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.domain.records import Facts
from celebcollect.stages.clean.verdicts import judge

SHOTS = 4
"""Own pictures in an album, beside the portrait."""
MINORITY, MAJORITY = 2, SHOTS + 1
"""Pictures of the other person."""
BLUR_OF_SIDE = 4 / 512
"""Deviation of the blur by the longer side: from 4 px of 512 on most pictures are `blurred`."""


class Photographs:
    """Pictures of people, each measured once by one engine for all albums."""

    def __init__(self, folder: Path, place: Path, engine: str) -> None:
        self._place = place
        clean = CleanConfig(faces="required", engine=engine)
        self.checks: list[Check] = build_checks(clean, StoreConfig())
        people = _people(folder)
        self.people = {one: files for one, files in people.items() if len(files) >= MAJORITY}
        self.skipped = len(people) - len(self.people)
        """People who have too few photographs to be a majority."""
        self._facts: dict[str, dict[str, Facts]] = {}
        self._alone: dict[str, str | None] = {}

    def unusable(self, picture: Picture) -> str | None:
        """Return why a picture goes that is alone in its album, None where it stays."""
        id_ = picture.image.id
        if id_ not in self._alone:
            alone = replace(picture, reference=0)
            self._alone[id_] = self.said([alone])[id_]
        return self._alone[id_]

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
    return dict(people)


def larger_copy(some: Photographs, file: Path, _: Path, own: list[Picture]) -> Picture:
    """Somebody else offers the portrait 1.3 times larger."""
    with Pillow.open(file) as opened:
        width, height = opened.size
        larger = opened.resize((round(1.3 * width), round(1.3 * height)), Pillow.Resampling.LANCZOS)
    own.append(some.made(larger, f"larger-{file.parent.name}-{file.name}"))
    return replace(picture_of(file), reference=0)


def renamed(_: Photographs, file: Path, _third: Path, own: list[Picture]) -> Picture:
    """Give the file that Wikidata names another name on Commons."""
    portrait = picture_of(file)
    with RenamedFiles() as commons:
        rank, *others = commons.ranks([portrait.image, *(one.image for one in own)])
    if others != [None] * len(own):
        raise RuntimeError(f"pictures that Wikidata does not name are portraits: {others}")
    return replace(portrait, reference=rank)


def trusted(_: Photographs, file: Path, _third: Path, _own: list[Picture]) -> Picture:
    """Nothing is wrong with the portrait."""
    return replace(picture_of(file), reference=0)


def two_faces(some: Photographs, file: Path, third: Path, _: list[Picture]) -> Picture:
    """Somebody who is nowhere else in the album stands on the left."""
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
    return replace(some.made(both, name), reference=0)


def blurred(some: Photographs, file: Path, _: Path, _own: list[Picture]) -> Picture:
    """Put the portrait out of focus."""
    with Pillow.open(file) as opened:
        radius = max(opened.size) * BLUR_OF_SIDE
        soft = opened.convert("RGB").filter(ImageFilter.GaussianBlur(radius))
    return replace(some.made(soft, f"blurred-{file.parent.name}-{file.name}"), reference=0)


Fault = Callable[[Photographs, Path, Path, list[Picture]], Picture]
"""Makes the portrait, of a file and one of somebody else's; may add to the own pictures."""
