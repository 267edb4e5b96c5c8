"""Pictures and clocks for the parts of the cleaning benchmark."""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from celebcollect.checks.base import Picture
from celebcollect.domain.records import Image, Status, image_id
from celebcollect.pictures.decode import inspect


def picture_of(file: Path) -> Picture:
    """Describe a file as the catalogue would."""
    data = file.read_bytes()
    sha256, seen, url = (
        hashlib.sha256(data).hexdigest(),
        inspect(data, max_pixels=10**9),
        file.as_uri(),
    )
    facts = {
        "format": seen.format,
        "width_px": seen.width_px,
        "height_px": seen.height_px,
        "phash": seen.phash,
        "phash_version": seen.phash_version,
    }
    image = Image(
        id=image_id("Q1", url),
        qid="Q1",
        name="X",
        status=Status.STORED,
        source="google",
        url=url,
        sha256=sha256,
        path="-",
        bytes=len(data),
        **facts,
    )
    return Picture(image, file)


def with_facts(picture: Picture, name: str, facts: object) -> Picture:
    """Return the picture with what a check measured."""
    return replace(
        picture,
        image=picture.image.model_copy(update={"facts": picture.image.facts | {name: facts}}),
    )


def cpu_s(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process and its children that have ended."""
    before = sum(os_times())
    work()
    return sum(os_times()) - before


def os_times() -> tuple[float, float]:
    """Return CPU seconds of this process and of its ended children."""
    own, children = (
        resource.getrusage(resource.RUSAGE_SELF),
        resource.getrusage(resource.RUSAGE_CHILDREN),
    )
    return own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime
