"""Photographs of many people as numbers, to measure whether the engines are fair to all groups.

What the others of these files have in common: which arrays are an engine's,
which faces it would count, and which file is meant.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from celebcollect.vision.base import EngineSpec
from celebcollect.vision.dlib_engine import DlibSpec
from celebcollect.vision.numbers import YUNET_SFACE
from celebcollect.vision.onnx_engine import OnnxSpec

Numbers = npt.NDArray[Any]

SFACE = OnnxSpec(
    "", "", "0..255", "yunet-2023mar", "sface-2021dec", name="yunet-sface", numbers=YUNET_SFACE
)
ENGINES: dict[str, tuple[EngineSpec, str, str]] = {
    "dlib": (DlibSpec(), "dlib", "hog_width_px"),
    "yunet-sface": (SFACE, "sface", "yunet_width_px"),
}
"""By name: the engine, and the arrays of its embeddings and of the widths of its faces."""


@dataclass(frozen=True)
class FacePeople:
    """What one engine made of the photographs, a row for each."""

    spec: EngineSpec
    person: Numbers
    group: Numbers
    sex: Numbers
    usable: Numbers
    """One usable face of the person, whether the engine finds it or not."""
    points: Numbers
    """(n, 128) float32; NaN where no face is found."""
    seen: Numbers
    """A face is found, and is large enough."""

    def group_of(self) -> dict[str, str]:
        """Return the group of each person."""
        return {str(one): str(self.group[self.person == one][0]) for one in self.everybody()}

    def everybody(self) -> Numbers:
        """Return the names of the people, in order."""
        return np.unique(self.person)


def read_people(file: Path, engine: str) -> FacePeople:
    """Return the people of a file as this engine sees them."""
    spec, embeddings, widths = ENGINES[engine]
    with np.load(file, allow_pickle=False) as arrays:
        points, width = arrays[embeddings], arrays[widths]
        seen = np.isfinite(points).all(axis=1) & (width >= spec.numbers.smallest_face_px)
        person, group, sex = arrays["person"], arrays["group"], arrays["sex"]
        return FacePeople(spec, person, group, sex, arrays["usable"], points, seen)


def asked_for() -> Path:
    """Return the file that the command line names, or the one beside the photographs."""
    beside = Path(__file__).parents[2] / "shared" / "data" / "embeddings" / "calibration.npz"
    file = Path(sys.argv[1]) if sys.argv[1:] else beside
    if not file.is_file():
        sys.exit(f"no embeddings in {file}: name another file")
    return file
