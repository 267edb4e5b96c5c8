"""dlib, offline: the HOG detector (Boost licence), 5-point landmarks and ResNet v1 (both CC0).

The home of dlib. Never imports `face_recognition_models`, which needs the long gone pkg_resources: only its model
files are opened, and of these not the 68-point landmarks, whose training data forbid commercial
use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from celebcollect.domain.errors import ConfigError
from celebcollect.vision.base import Embedding, Engine, Face, Pixels

INSTALL = "pip install 'celebcollect[faces]'"


@dataclass(frozen=True, slots=True)
class DlibSpec:
    """The engine of the extra `faces`."""

    detector: str = "dlib-hog-1"
    embedder: str = "dlib-resnet-v1-5pt-1"

    def load(self) -> Engine:
        """Build the engine."""
        return DlibEngine()


def why_not() -> str | None:
    """
    Return why dlib cannot be used here, or None when it can.

    Imports nothing, because an import on an unfit processor would kill the process.
    """
    if find_spec("dlib") is None or find_spec("face_recognition_models") is None:
        return "the extra `faces` is not installed"
    try:
        flags = re.search(
            r"^flags\s*:(.*)$",
            Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace"),
            re.MULTILINE,
        )
    except OSError:
        # no Linux: nothing to ask, and dlib-bin's builds for other systems run on what these need
        # anyway
        return None
    if flags and "avx" not in flags[1].split():
        return (
            "this processor lacks AVX, which dlib-bin is built with; dlib built from source works"
        )
    return None


class DlibEngine:
    """
    Holds the models, 118 MB.

    The detector lets other threads run, the embedding does not: use processes.

    Raises:
        ConfigError: The model files are not there.
    """

    def __init__(self) -> None:
        import dlib

        self._dlib = dlib
        self._detector = dlib.get_frontal_face_detector()
        self._points = dlib.shape_predictor(_model("shape_predictor_5_face_landmarks.dat"))
        self._network = dlib.face_recognition_model_v1(
            _model("dlib_face_recognition_resnet_model_v1.dat")
        )

    def detect(self, pixels: Pixels) -> list[Face]:
        """Return frontal faces (to about 40 degrees) of about 80 pixels and more."""
        boxes, scores, _ = self._detector.run(pixels, 0, 0.0)
        return [self._face(pixels, box, score) for box, score in zip(boxes, scores, strict=True)]

    def _face(self, pixels: Pixels, box: object, score: float) -> Face:
        shape = self._points(pixels, box)
        landmarks = tuple(
            (float(shape.part(index).x), float(shape.part(index).y))
            for index in range(shape.num_parts)
        )
        rectangle = shape.rect
        return Face(
            (rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom()),
            landmarks,
            float(score),
        )

    def embed(self, pixels: Pixels, face: Face) -> Embedding:
        """Return the 128 numbers; faces of one person are mostly less than 0.6 apart."""
        box = self._dlib.rectangle(*(round(side) for side in face.box))
        return np.asarray(
            self._network.compute_face_descriptor(pixels, self._points(pixels, box)),
            dtype=np.float32,
        )


def _model(name: str) -> str:
    spec = find_spec("face_recognition_models")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        file = Path(folder) / "models" / name
        if file.is_file():
            return str(file)
    raise ConfigError(f"the face model {name} is missing", hint=INSTALL)
