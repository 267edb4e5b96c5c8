"""Up to where pictures are taken for the person of a portrait that failed a check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from celebcollect.checks.base import Acceptance
from celebcollect.checks.identity_verdicts import Compared, Reference, ReferenceFace, anchored
from checks.check_pictures import picture_of
from stages.cleaning import jpeg


@pytest.mark.parametrize(
    ("scores", "taken"),
    [
        ((0.9,), 1),
        ((1.1,), 1),
        ((1.3,), 0),  # somebody else, and nobody to compare with
        ((1.1, 1.15), 0),  # about as near
        ((1.1, 1.25), 1),
        ((1.3, 1.5), 0),
        ((1.3, 1.8), 1),
        ((1.6, 3.0), 0),
    ],
)
def test_a_group_beyond_the_limit_must_stand_out(
    tmp_path: Path, scores: tuple[float, ...], taken: int
) -> None:
    """The farther it is, the more; each picture is a group here, the nearest one first."""
    pictures = [picture_of(jpeg(number), tmp_path) for number in range(len(scores))]
    poor = replace(picture_of(jpeg(99), tmp_path), reference=0, thrown_out=True)
    face = ReferenceFace(np.array(scores, np.float32), np.array(scores, np.float32))
    apart = np.full((len(scores), len(scores)), 2, np.float32)
    compared = Compared(pictures, apart, apart, [[number] for number in range(len(scores))])

    said = list(anchored(compared, [Reference(poor, [face], True)]))

    accepted = [one.id for one in said if isinstance(one, Acceptance)]
    assert accepted == [picture.image.id for picture in pictures[:taken]]
