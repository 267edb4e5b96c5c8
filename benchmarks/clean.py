"""Measure cleaning on a folder of photographs: python benchmarks/clean.py [FOLDER].

The folder is laid out as the captured faces are: labels.csv, people/<person>/, groups/, no-face/.
Prints CPU per picture of every check and of everything about copies beside cleanvision's, what
near-duplicate hashes recall, and, with the extra `faces`, the cost of face work, how often it is
right, and how well wrong people are removed beside the rule of the system that this one replaces.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from clean_checks import bench_checks, bench_copying
from clean_copies import bench_copies
from clean_faces import bench_detection, bench_faces
from clean_identity import bench_identity
from clean_pictures import picture_of

from celebcollect.checks.base import Picture
from celebcollect.vision import dlib_package


def main() -> None:
    """Run all parts."""
    folder = (
        Path(sys.argv[1])
        if sys.argv[1:]
        else Path(__file__).parents[2] / "shared" / "data" / "faces"
    )
    if not (folder / "labels.csv").is_file():
        sys.exit(f"no photographs in {folder}: name another folder")
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        labels = list(csv.DictReader(file))
    pictures = [picture_of(folder / label["file"]) for label in labels]
    print(f"checks, {len(pictures)} pictures", flush=True)
    bench_checks(pictures)
    print("what copies cost", flush=True)
    bench_copying(pictures)
    print("what copies are recognised", flush=True)
    bench_copies(pictures)
    if reason := dlib_package.why_not():
        print(f"faces: {reason}")
        return
    kinds = {
        kind: [picture for picture in pictures if picture.file.is_relative_to(folder / kind)]
        for kind in ("people", "groups", "no-face")
    }
    print(f"faces, {len(kinds['people'])} pictures", flush=True)
    measured = bench_faces(kinds["people"])
    counted = {
        picture.image.id: int(label["faces"])
        for picture, label in zip(pictures, labels, strict=True)
    }
    bench_detection(kinds["people"], kinds["groups"], kinds["no-face"], counted)
    albums: dict[str, list[Picture]] = {}
    for picture in measured:
        albums.setdefault(picture.file.parent.name, []).append(picture)
    print("identity", flush=True)
    bench_identity(
        {person: album for person, album in albums.items() if len(album) >= 4},
        {label["person"]: label["set"] for label in labels if label["person"]},
    )


if __name__ == "__main__":
    main()
