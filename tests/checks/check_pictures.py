"""Pictures for checks to look at, and a check asked as `clean` asks it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from celebcollect.checks.base import Check, Measuring, Picture, Rejection
from celebcollect.domain.records import Image, Status, image_id
from celebcollect.pictures.decode import inspect


def picture_of(
    data: bytes,
    folder: Path = Path(),
    *,
    qid: str = "Q1",
    file: Path | None = None,
    **facts: object,
) -> Picture:
    """
    Write bytes into a folder and describe them as the catalogue does.

    Or take a `file` that holds them.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    if file is None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / sha256
        file.write_bytes(data)
    url = f"https://a.example/{sha256}"
    seen = inspect(data, max_pixels=10**9)
    row = {
        "id": image_id(qid, url),
        "qid": qid,
        "name": "A Person",
        "status": Status.STORED,
        "source": "google",
        "url": url,
        "sha256": sha256,
        "bytes": len(data),
        "format": seen.format,
        "width_px": seen.width_px,
        "height_px": seen.height_px,
        "phash": seen.phash,
        "phash_version": seen.phash_version,
    }
    return Picture(Image.model_validate(row | facts), file)


def measured(check: Check, pictures: Sequence[Picture]) -> list[Picture]:
    """Return the pictures with what the check measures."""
    facts = dict(check.measure(pictures)) if isinstance(check, Measuring) else {}
    return [
        (
            replace(
                picture,
                image=picture.image.model_copy(
                    update={"facts": picture.image.facts | {check.name: facts[picture.image.id]}}
                ),
            )
            if picture.image.id in facts
            else picture
        )
        for picture in pictures
    ]


def rejections(check: Check, pictures: Sequence[Picture]) -> dict[str, Rejection]:
    """Return what the check throws out, by id."""
    return {
        said.id: said
        for said in check.reject(measured(check, pictures))
        if isinstance(said, Rejection)
    }


def reasons(check: Check, pictures: Sequence[Picture]) -> list[str | None]:
    """Return the reason for each picture, None for those that stay."""
    found = rejections(check, pictures)
    return [
        found[picture.image.id].reason if picture.image.id in found else None
        for picture in pictures
    ]
