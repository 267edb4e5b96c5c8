"""Face models that the user names, as ONNX files: a detector of YuNet's shape, an embedder of SFace's or ArcFace's.

The shapes: YuNet takes (1, 3, height, width) BGR 0 to 255 and gives, for the strides 8, 16 and 32,
`cls_N`, `obj_N`, `bbox_N` and `kps_N` (as OpenCV's FaceDetectorYN reads them). The embedder takes
(1, 3, 112, 112) RGB of an aligned face and gives one vector.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image as Pillow

from celebcollect.domain.errors import ConfigError
from celebcollect.vision.base import Embedding, Engine, Face, Pixels
from celebcollect.vision.onnx_model import HINT, Numbers, OnnxModel

INSTALL = "pip install onnxruntime"

STRIDES = (8, 16, 32)
MIN_SCORE = 0.7
"""OpenCV's sample takes 0.9, its documentation 0.6 to 0.9; faces that are only likely are wanted
too, for they make a group a group."""
MAX_PX = 1e7
"""Coordinates beyond are no place in a picture."""
MAX_LOG = 50.0
"""Of a box's side in cells: far beyond `MAX_PX`, and no overflow."""
TRIAL_PX = 128
MAX_OVERLAP = 0.3
"""Intersection over union beyond which the weaker of two boxes is the same face (OpenCV's
default)."""

ALIGNED_PX = 112
TEMPLATE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)
"""Where eyes, nose and mouth corners lie in an aligned face of 112 pixels (the template of ArcFace,
which SFace uses too)."""

DETECTOR = (
    "one input (1, 3, height, width) float32; cls, obj, bbox and kps for the strides 8, 16 and 32,"
    " as YuNet."
)
EMBEDDER = (
    f"one input (1, 3, {ALIGNED_PX}, {ALIGNED_PX}) float32; one vector for the face, as SFace and"
    " ArcFace."
)
PARTS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
"""Numbers for each cell, by output."""


@dataclass(frozen=True, slots=True)
class OnnxSpec:
    """Two model files and their versions."""

    detector_file: str
    embedder_file: str
    embedder_input: Literal["0..255", "-1..1"]
    detector: str
    embedder: str

    def load(self) -> Engine:
        """Build the engine."""
        return OnnxEngine(self)


def onnx_spec(
    detector_file: str, embedder_file: str, embedder_input: Literal["0..255", "-1..1"]
) -> OnnxSpec:
    """
    Describe two model files; their contents are part of the versions.

    Raises:
        ConfigError: A file cannot be read, or onnxruntime is not installed.
    """
    if find_spec("onnxruntime") is None:
        raise ConfigError(
            "[clean] names face models, but onnxruntime is not installed", hint=INSTALL
        )
    detector, embedder = (f"onnx-{_digest(file)}" for file in (detector_file, embedder_file))
    return OnnxSpec(
        detector_file, embedder_file, embedder_input, detector, f"{embedder} {embedder_input}"
    )


def _digest(file: str) -> str:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise ConfigError(
            f"cannot read the face model {file}: {error.strerror}", hint=HINT
        ) from error


class OnnxEngine:
    """
    Holds both models, and tries them once.

    Raises:
        ConfigError: A file is no model of its shape; also later, when a picture brings it to light.
    """

    def __init__(self, spec: OnnxSpec) -> None:
        self._spec = spec
        self._detector = OnnxModel(spec.detector_file, wanted=DETECTOR)
        self._embedder = OnnxModel(spec.embedder_file, wanted=EMBEDDER)
        if self._embedder.size != (ALIGNED_PX, ALIGNED_PX):
            raise self._embedder.unfit(f"does not take faces of {ALIGNED_PX} pixels")
        # Not of one colour: a model that divides by the contrast would have none.
        picture = (
            np.arange(TRIAL_PX**2 * 3, dtype=np.uint32)
            .astype(np.uint8)
            .reshape(TRIAL_PX, TRIAL_PX, 3)
        )
        self.detect(picture)
        self.embed(picture, Face((0, 0, TRIAL_PX, TRIAL_PX)))

    def detect(self, pixels: Pixels) -> list[Face]:
        """Return the faces with their five landmarks."""
        canvas, factor = self._fitted(pixels)
        found = self._detector.run(canvas[:, :, ::-1])
        faces = [face for stride in STRIDES for face in self._decoded(found, stride, canvas)]
        # What lies in the padding, or is flat, is nothing that could be cut out.
        return [
            face
            for face in (face.moved(1 / factor) for face in _strongest(faces))
            if _inside(face, pixels)
        ]

    def _decoded(self, found: Mapping[str, Numbers], stride: int, canvas: Pixels) -> list[Face]:
        columns = canvas.shape[1] // stride
        cells = columns * (canvas.shape[0] // stride)
        for part, size in PARTS.items():
            name = f"{part}_{stride}"
            if name not in found:
                raise self._detector.unfit("has not the outputs of a YuNet detector")
            if found[name].size != cells * size:
                raise self._detector.unfit(
                    f"gives {found[name].size} numbers as {name} for {cells} cells"
                )
            if not np.isfinite(found[name]).all():
                raise self._detector.unfit(f"gives {name} that are no finite numbers")
        faces = _decode(found, stride, columns=columns)
        if any(np.abs((*face.box, *np.ravel(face.landmarks))).max() > MAX_PX for face in faces):
            raise self._detector.unfit("finds faces without end")
        return faces

    def _fitted(self, pixels: Pixels) -> tuple[Pixels, float]:
        """Return the picture on the canvas that the model wants, and by how much it was scaled for that."""
        factor = 1.0
        if self._detector.size:
            height, width = self._detector.size
            factor = min(width / pixels.shape[1], height / pixels.shape[0], 1.0)
        else:
            height, width = (-(-side // STRIDES[-1]) * STRIDES[-1] for side in pixels.shape[:2])
        scaled = Pillow.fromarray(pixels)
        if factor < 1:
            scaled = scaled.resize(
                (max(int(pixels.shape[1] * factor), 1), max(int(pixels.shape[0] * factor), 1)),
                Pillow.Resampling.BILINEAR,
            )
        canvas = np.zeros((height, width, 3), dtype=np.uint8)
        canvas[: scaled.height, : scaled.width] = np.asarray(scaled)
        return canvas, factor

    def embed(self, pixels: Pixels, face: Face) -> Embedding:
        """Return the vector of the aligned face, of length 1."""
        picture = aligned(pixels, face).astype(np.float32)
        if self._spec.embedder_input == "-1..1":
            picture = (picture - 127.5) / 127.5
        found = next(iter(self._embedder.run(picture).values()))
        if found.size < 2 or found.size != max(found.shape):
            raise self._embedder.unfit(f"gives {found.shape} numbers")
        if not np.isfinite(found).all():
            raise self._embedder.unfit("gives a vector of numbers that are not finite")
        vector = found.ravel()
        length: Embedding = (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
        return length


def aligned(pixels: Pixels, face: Face) -> Pixels:
    """Turn, scale and cut a face so that its landmarks lie on the template; (112, 112, 3)."""
    points = np.array(face.landmarks[: len(TEMPLATE)], dtype=np.float64)
    if len(points) < len(TEMPLATE):
        left, top, right, bottom = face.box
        points = TEMPLATE / ALIGNED_PX * (right - left, bottom - top) + (left, top)
    matrix = _similarity(TEMPLATE, points)
    cut = Pillow.fromarray(pixels).transform(
        (ALIGNED_PX, ALIGNED_PX),
        Pillow.Transform.AFFINE,
        tuple(matrix.ravel()),
        Pillow.Resampling.BILINEAR,
    )
    return np.asarray(cut)


def _similarity(source: Numbers, target: Numbers) -> Numbers:
    """Return the (2, 3) matrix of rotation, scale and shift that brings source points nearest to target points (least squares)."""
    mean = source.mean(axis=0)
    centred, aim = source - mean, target - target.mean(axis=0)
    spread = (centred**2).sum()
    cosine = (centred * aim).sum() / spread
    sine = (centred[:, 0] * aim[:, 1] - centred[:, 1] * aim[:, 0]).sum() / spread
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack((turn, target.mean(axis=0) - turn @ mean))


def _decode(found: Mapping[str, Numbers], stride: int, *, columns: int) -> list[Face]:
    scores = np.sqrt(
        np.clip(found[f"cls_{stride}"], 0, 1) * np.clip(found[f"obj_{stride}"], 0, 1)
    ).ravel()
    boxes, points = found[f"bbox_{stride}"].reshape(-1, 4), found[f"kps_{stride}"].reshape(-1, 10)
    faces = []
    for index in np.flatnonzero(scores >= MIN_SCORE):
        row, column = divmod(int(index), columns)
        x, y = (column + boxes[index, 0]) * stride, (row + boxes[index, 1]) * stride
        width, height = np.exp(np.minimum(boxes[index, 2:], MAX_LOG)) * stride
        landmarks = tuple(
            (
                float(points[index, at] + column) * stride,
                float(points[index, at + 1] + row) * stride,
            )
            for at in range(0, 10, 2)
        )
        box = (
            float(x - width / 2),
            float(y - height / 2),
            float(x + width / 2),
            float(y + height / 2),
        )
        faces.append(Face(box, landmarks, float(scores[index])))
    return faces


def _strongest(faces: list[Face]) -> list[Face]:
    """Return each face once: the strongest of boxes that overlap."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: (-face.score, face.box)):
        if all(_overlap(face, other) <= MAX_OVERLAP for other in kept):
            kept.append(face)
    return kept


def _inside(face: Face, pixels: Pixels) -> bool:
    """Tell whether at least one pixel of the picture is in the box."""
    left, top, right, bottom = face.box
    height, width = (float(side) for side in pixels.shape[:2])
    return min(right, width) - max(left, 0.0) >= 1 and min(bottom, height) - max(top, 0.0) >= 1


def _overlap(one: Face, other: Face) -> float:
    width = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    height = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    common = max(width, 0.0) * max(height, 0.0)
    areas = sum((face.box[2] - face.box[0]) * (face.box[3] - face.box[1]) for face in (one, other))
    return common / (areas - common) if areas > common else 0.0
