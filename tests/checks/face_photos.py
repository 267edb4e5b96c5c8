"""The captured photographs as the face checks see them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from celebcollect.checks.base import Picture
from celebcollect.checks.faces import FaceCheck
from celebcollect.checks.identity import Identity
from celebcollect.config.sections import CleanConfig
from celebcollect.vision import dlib_package
from celebcollect.vision.dlib_engine import DlibSpec
from celebcollect.vision.workers import Workers
from checks.check_pictures import measured, picture_of
from support import missing


@dataclass(frozen=True)
class Photo:
    """A photograph, what its label says, and what was measured."""

    name: str
    person: str
    faces: int
    picture: Picture


def need_engine() -> None:
    """Skip the test where the extra `faces` is not installed."""
    reason = dlib_package.why_not()
    if reason:
        missing(f"a face engine ({reason})")


def face_check(workers: Workers | None = None, **settings: object) -> FaceCheck:
    """Return the check of faces with other settings."""
    return FaceCheck(
        CleanConfig.model_validate(settings), DlibSpec(), workers or Workers(DlibSpec(), 1)
    )


def identity_check(workers: Workers | None = None, **settings: object) -> Identity:
    """Return the check of identity with other settings."""
    return Identity(
        CleanConfig.model_validate(settings), DlibSpec(), workers or Workers(DlibSpec(), 1)
    )


def measure(folder: Path) -> tuple[Photo, ...]:
    """Detect and embed everything under the folder of captured faces; takes half a minute."""
    need_engine()
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        labels = list(csv.DictReader(file))
    pictures = [
        picture_of((folder / label["file"]).read_bytes(), file=folder / label["file"])
        for label in labels
    ]
    workers = Workers(DlibSpec(), 2)
    try:
        pictures = measured(identity_check(workers), measured(face_check(workers), pictures))
    finally:
        workers.close()
    return tuple(
        Photo(label["file"], label["person"], int(label["faces"]), picture)
        for label, picture in zip(labels, pictures, strict=True)
    )


def people(photos: Iterable[Photo], *, at_least: int) -> dict[str, list[Picture]]:
    """Return the photographs of each person with so many usable ones."""
    found: dict[str, list[Picture]] = {}
    for photo in photos:
        if photo.name.startswith("people/") and "embedding" in photo.picture.facts("identity"):
            found.setdefault(photo.person, []).append(photo.picture)
    return {person: pictures for person, pictures in found.items() if len(pictures) >= at_least}
