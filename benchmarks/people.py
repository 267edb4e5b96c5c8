"""Measure the face engines on one's own people: python benchmarks/people.py FOLDER.

FOLDER holds a folder per person with photographs of that person alone. A `labels.csv` in it may say
to which group and sex each belongs (columns person, group, sex). Prints for each installed engine
and group in how many photographs a face is found, how well albums with wrong people mixed in are
cleaned, how many pairs of two people match, and how well a trained model names them.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from fair_albums import FairAlbums
from fair_identify import FairNaming

from celebcollect.pictures.decode import inspect
from celebcollect.pictures.file import PictureFile
from celebcollect.pictures.formats import NotAPicture
from celebcollect.vision import dlib_engine, dlib_package
from celebcollect.vision.base import EngineSpec, FacesSeen
from celebcollect.vision.looking import detect_and_embed
from celebcollect.vision.model_sets import YUNET_SFACE_SET
from celebcollect.vision.onnx_engine import yunet_sface_spec
from celebcollect.vision.workers import Workers

DRAWS = 10
UNGROUPED = "-"
MIN_PEOPLE = 4


def engines() -> Iterator[tuple[str, EngineSpec]]:
    """Yield the installed engines; say what the others lack."""
    if reason := dlib_package.why_not():
        print(f"dlib is left out: {reason}")
    else:
        yield "dlib", dlib_engine.DlibSpec()
    if YUNET_SFACE_SET.is_here():
        yield "yunet-sface", yunet_sface_spec()
    else:
        print("yunet-sface is left out: celebcollect models get yunet-sface")


def photographs(folder: Path) -> list[PictureFile]:
    """Return all pictures, in the order of people and names; tell what is none."""
    found: list[PictureFile] = []
    for file in sorted(folder.glob("*/*")):
        if not file.is_file():
            continue
        try:
            facts = inspect(file.read_bytes(), max_pixels=10**9)
        except NotAPicture as error:
            print(f"left out, no picture: {file.relative_to(folder)} ({error})")
            continue
        found.append(PictureFile(str(len(found)), file, facts.width_px, facts.height_px))
    return found


def labels(folder: Path) -> dict[str, tuple[str, str]]:
    """Return group and sex of each person in labels.csv."""
    file = folder / "labels.csv"
    if not file.is_file():
        return {}
    with file.open(newline="", encoding="utf-8") as opened:
        return {
            row["person"]: (row.get("group") or UNGROUPED, row.get("sex") or UNGROUPED)
            for row in csv.DictReader(opened)
        }


def embedded(pictures: list[PictureFile], spec: EngineSpec) -> tuple[np.ndarray, np.ndarray]:
    """Return the embedding of each picture's largest face (NaN: none is found) and its width."""
    points: dict[int, np.ndarray] = {}
    width = np.zeros(len(pictures), dtype=np.float32)
    workers = Workers(spec)
    try:
        for id_, seen in workers.run(detect_and_embed, pictures):
            if isinstance(seen, FacesSeen) and seen.faces:
                points[int(id_)] = seen.embeddings[0]
                left, _, right, _ = seen.faces[0].box
                width[int(id_)] = right - left
    finally:
        workers.close()
    length = max((len(point) for point in points.values()), default=1)
    table = np.full((len(pictures), length), np.nan, dtype=np.float32)
    for row, point in points.items():
        table[row] = point
    return table, width


def main() -> None:
    """Print a table for each engine."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit('name a folder with a folder per person: make bench-people FOLDER="..."')
    folder = Path(sys.argv[1])
    pictures, told = photographs(folder), labels(folder)
    person = np.array([picture.path.parent.name for picture in pictures])
    if len(set(person)) < MIN_PEOPLE:
        sys.exit(f"{len(set(person))} people with pictures in {folder}: {MIN_PEOPLE} are needed")
    known = [told.get(one, (UNGROUPED, UNGROUPED)) for one in person]
    common = {
        "person": person,
        "group": np.array([group for group, _ in known]),
        "sex": np.array([sex for _, sex in known]),
        "usable": np.ones(len(person), dtype=bool),
    }
    print(f"{len(pictures)} photographs of {len(set(person))} people")
    arrays = {"dlib": ("dlib", "hog_width_px"), "yunet-sface": ("sface", "yunet_width_px")}
    with tempfile.TemporaryDirectory() as place:
        for name, spec in engines():
            points, width = embedded(pictures, spec)
            file = Path(place) / f"{name}.npz"
            mine = dict(zip(arrays[name], (points, width), strict=True))
            np.savez(file, allow_pickle=False, **common, **mine)
            print_engine(file, name, width > 0, common["group"])


def print_engine(file: Path, name: str, found: np.ndarray, group: np.ndarray) -> None:
    """Print what one engine makes of the people."""
    albums = FairAlbums(file, name)
    naming = FairNaming(file, name)
    cleaned = albums.figures(draws=DRAWS, seed=1)
    named = naming.figures(splits=DRAWS, seed=1)
    rules = sorted({f"{model.rule.value}" for model in naming.models})
    print(f"\n{name}, strangers told by the rule {' and '.join(rules)}")
    print("  group          found    kept  purity  pairs that match   named right  strangers taken")
    for one in [*sorted(set(group)), "all"]:
        mine = found[group == one] if one != "all" else found
        line = f"  {one:<12} {100 * mine.mean():6.1f} %"
        if one in cleaned:
            album = cleaned[one]
            line += f" {album.kept_percent:6.1f} % {album.purity_percent:6.2f}"
            line += f" {album.pairs_percent:8.2f} % of {album.pairs:<6}"
        else:
            line += f" {'-':>6}   {'-':>6} {'-':>8} {'':9}"
        if one in named:
            asked = named[one]
            line += f" {asked.right_percent:8.1f} % of {asked.asked:<5}"
            line += f" {asked.taken_percent:6.2f} % of {asked.strangers}"
        print(line)


if __name__ == "__main__":
    main()
