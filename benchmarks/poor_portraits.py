"""Measure how far a blurred portrait is from its person's other pictures, and from other people's.

`checks.identity_verdicts` takes a group of pictures that is somewhat beyond the limit where the
portrait is rejected as too poor; its numbers are from here.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
from clean_pictures import picture_of
from PIL import Image as Pillow
from PIL import ImageFilter
from portrait_faults import Photographs

from celebcollect.checks.base import Measuring, Picture
from celebcollect.checks.face_facts import from_text
from celebcollect.checks.identity import Identity
from celebcollect.checks.identity_verdicts import APART, FAR_APART, FAR_LIMIT, POOR_LIMIT
from celebcollect.vision import dlib_package
from celebcollect.vision.model_sets import YUNET_SFACE_SET

BLURS = (4, 6, 8)
OWN = 5
LIMITS = (1.0, 1.05, 1.1, 1.15, 1.2, 1.3, 1.4, 1.5)


def embedded(some: Photographs, pictures: list[Picture]) -> list[np.ndarray | None]:
    """Return the embedding of each picture's largest face, None where none is found."""
    for check in some.checks:
        if isinstance(check, Measuring) and check.name in ("faces", "identity"):
            found = dict(check.measure(pictures))
            pictures = [
                replace(
                    one,
                    image=one.image.model_copy(
                        update={
                            "facts": one.image.facts | {check.name: found.get(one.image.id, {})}
                        }
                    ),
                )
                for one in pictures
            ]
    texts = (one.facts("identity").get("embedding") for one in pictures)
    return [from_text(str(text)) if text else None for text in texts]


def scores(some: Photographs, blur: int) -> Iterator[tuple[float, list[float]]]:
    """Yield of each blurred portrait the mean score to its person, and those to the others."""
    likeness = next(one for one in some.checks if isinstance(one, Identity)).numbers.likeness
    own = {
        person: np.stack(
            [
                point
                for point in embedded(some, [picture_of(file) for file in files[1 : OWN + 1]])
                if point is not None
            ]
        )
        for person, files in some.people.items()
    }
    for person, files in some.people.items():
        with Pillow.open(files[0]) as opened:
            radius = max(opened.size) * blur / 512
            soft = opened.convert("RGB").filter(ImageFilter.GaussianBlur(radius))
        (point,) = embedded(some, [some.made(soft, f"poor-{blur}-{person}.jpg")])
        if point is None:
            continue
        mean = {one: float(likeness.scores(own[one], point[None]).mean()) for one in own}
        yield mean.pop(person), list(mean.values())


def taken_of_two(others: list[float]) -> int:
    """Count the albums of two other people, each a group, of which the nearer would be taken."""
    count = 0
    for near, far in permutations(others, 2):
        stands_out = far >= FAR_APART * near and near <= FAR_LIMIT
        count += near > 1 and (stands_out or (far >= APART * near and near <= POOR_LIMIT))
    return count


def main() -> None:
    """Print a line for each engine and blur."""
    shared = Path(__file__).parents[2] / "shared" / "data" / "faces"
    folder = Path(sys.argv[1]) if sys.argv[1:] else shared
    if not (folder / "labels.csv").is_file():
        sys.exit(f"no photographs in {folder}: name another folder")
    engines = ["dlib"] if dlib_package.why_not() is None else []
    engines += [YUNET_SFACE_SET.name] if YUNET_SFACE_SET.is_here() else []
    for engine in engines:
        with tempfile.TemporaryDirectory() as place:
            some = Photographs(folder, Path(place), engine)
            for blur in BLURS:
                found = list(scores(some, blur))
                own = np.array([one for one, _ in found])
                others = np.array([score for _, more in found for score in more])
                within = ", ".join(
                    f"{limit}: {np.mean(own <= limit):.0%} {np.mean(others <= limit):.0%}"
                    for limit in LIMITS
                )
                pairs = sum(len(more) * (len(more) - 1) // 2 for _, more in found)
                wrong = sum(taken_of_two(more) for _, more in found)
                print(
                    f"  {engine}, blur {blur} of 512, {len(found)} of {len(some.people)} people;"
                    f" own and others within {within}; albums of two other people of which one"
                    f" would be taken: {wrong} of {pairs}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
