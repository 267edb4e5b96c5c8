"""dlib, offline: HOG detector (Boost licence), 5-point landmarks, CNN detector, ResNet v1 (CC0).

The home of dlib. Its two networks run on onnxruntime, where they cost a twelfth and let other
threads run (`dlib_onnx`). Never imports `face_recognition_models`, which needs the long gone
pkg_resources: only its model files are opened, and of these not the 68-point landmarks, whose
training data forbid commercial use.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from celebcollect.domain.errors import ConfigError
from celebcollect.vision.base import Embedding, Engine, Face, Pixels
from celebcollect.vision.cnn_detector import ModelSession, find_faces
from celebcollect.vision.dlib_onnx.cache import converted_resnet, kept
from celebcollect.vision.dlib_onnx.detector import detector_to_onnx
from celebcollect.vision.dlib_onnx.resnet import CHIP_PX
from celebcollect.vision.dlib_onnx.weights import NotANetwork, read_network
from celebcollect.vision.dlib_package import INSTALL
from celebcollect.vision.numbers import DLIB, EngineNumbers
from celebcollect.vision.onnx_model import new_session

_PADDING = 0.25
"""Of the chip, around the face, as dlib's `compute_face_descriptor` cuts it."""


@dataclass(frozen=True, slots=True)
class DlibSpec:
    """The engine of the extra `faces`."""

    name: str = "dlib"
    detector: str = "dlib-hog-1"
    embedder: str = "dlib-resnet-v1-5pt-1"

    @property
    def numbers(self) -> EngineNumbers:
        """Return what was measured of it."""
        return DLIB

    def load(self) -> Engine:
        """Build the engine."""
        return DlibEngine()


class DlibEngine:
    """
    Holds the models, some 60 MB; the CNN detector is loaded when it is first needed.

    Raises:
        ConfigError: The model files are not there, or are others.
    """

    def __init__(self) -> None:
        import dlib

        self._dlib = dlib
        self._detector = frontal_detector(dlib)
        self._points = dlib.shape_predictor(str(_model("shape_predictor_5_face_landmarks.dat")))
        file = _model("dlib_face_recognition_resnet_model_v1.dat")
        try:
            self._network = new_session(converted_resnet(file))
        except (NotANetwork, OSError) as error:
            raise ConfigError(f"cannot use {file}: {error}", hint=INSTALL) from error
        self._cnn: ModelSession | None = None

    def detect(self, pixels: Pixels) -> list[Face]:
        """Return frontal faces (to about 40 degrees) of about 80 pixels and more."""
        boxes, scores, _ = self._detector.run(pixels, 0, 0.0)
        return [self._face(pixels, box, score) for box, score in zip(boxes, scores, strict=True)]

    def detect_hard(self, pixels: Pixels) -> list[Face]:
        """Return turned, half hidden and dark faces of about 70 pixels and more."""
        if self._cnn is None:
            data = _model("mmod_human_face_detector.dat").read_bytes()
            self._cnn = new_session(detector_to_onnx(read_network(data)))
        return [
            self._face(pixels, self._rectangle(face), face.score)
            for face in find_faces(self._cnn, pixels)
        ]

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

    def align(self, pixels: Pixels, face: Face, *, room: float = 1) -> Pixels:
        """Return dlib's face chip, (150, 150, 3)."""
        points = self._points(pixels, self._rectangle(face))
        # The face takes 1 / (1 + 2 * padding) of the side.
        padding = (room * (1 + 2 * _PADDING) - 1) / 2
        chip: Pixels = self._dlib.get_face_chip(pixels, points, size=CHIP_PX, padding=padding)
        return chip

    def embed(self, aligned: Pixels) -> Embedding:
        """Return the 128 numbers of dlib's ResNet."""
        batch = np.ascontiguousarray(aligned.transpose(2, 0, 1)[None], dtype=np.float32)
        embedding: Embedding = self._network.run(None, {"input": batch})[0][0]
        return embedding

    def _rectangle(self, face: Face) -> object:
        return self._dlib.rectangle(*(round(side) for side in face.box))


def frontal_detector(dlib: Any) -> Any:
    """
    Return dlib's HOG detector, from the user's cache.

    dlib holds it as a packed text, which takes 0.7 s of CPU to unpack in every process; from its
    own serialized form it takes 2 ms. That is what dlib hands to `pickle`; only `pickle` itself,
    which could run anything that a file says, is left out.
    """
    key = hashlib.sha256(f"dlib {dlib.__version__}".encode()).digest()

    def unpacked() -> bytes:
        (state,) = dlib.get_frontal_face_detector().__getstate__()
        return bytes(state)

    state = kept("dlib-hog-1.svm", key, unpacked)
    detector = dlib.fhog_object_detector.__new__(dlib.fhog_object_detector)
    detector.__setstate__((state,))
    return detector


def _model(name: str) -> Path:
    spec = find_spec("face_recognition_models")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        file = Path(folder) / "models" / name
        if file.is_file():
            return file
    raise ConfigError(f"the face model {name} is missing", hint=INSTALL)
