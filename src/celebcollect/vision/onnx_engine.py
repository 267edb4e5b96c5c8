"""Face models that the user names, as ONNX files.

The detector is of YuNet's shape (`yunet`). The embedder is of SFace's or ArcFace's: it takes
(1, 3, 112, 112) RGB of an aligned face and gives one vector.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image as Pillow

from celebcollect.disk.known_file import KnownFile, prove
from celebcollect.domain.errors import CelebCollectError, ConfigError
from celebcollect.domain.install import install_command
from celebcollect.vision.alignment import ALIGNED_PX, align
from celebcollect.vision.base import Embedding, Engine, Face, Pixels
from celebcollect.vision.model_sets import (
    NUMBERS_FILE,
    SFACE,
    YUNET,
    YUNET_SFACE_SET,
    models_folder,
)
from celebcollect.vision.numbers import UNTESTED, YUNET_SFACE, EngineNumbers
from celebcollect.vision.onnx_model import HINT, OnnxModel
from celebcollect.vision.own_models import read_own
from celebcollect.vision.yunet import STRIDES, NotYunet, faces_in

INSTALL = install_command("onnxruntime")

TRIAL_PX = 128

DETECTOR = (
    "one input (1, 3, height, width) float32; cls, obj, bbox and kps for the strides 8, 16 and 32,"
    " as YuNet."
)
EMBEDDER = (
    f"one input (1, 3, {ALIGNED_PX}, {ALIGNED_PX}) float32; one vector for the face, as SFace and"
    " ArcFace."
)


@dataclass(frozen=True, slots=True)
class OnnxSpec:
    """Two model files and their versions."""

    detector_file: str
    embedder_file: str
    embedder_input: Literal["0..255", "-1..1"]
    detector: str
    embedder: str
    name: str = "own"
    numbers: EngineNumbers = UNTESTED
    proved: tuple[KnownFile, ...] = ()
    """What the two files must be, where that is known."""

    def load(self) -> Engine:
        """
        Build the engine.

        Raises:
            ConfigError: See `OnnxEngine`; also when a file is not the known one.
        """
        for file, known in zip((self.detector_file, self.embedder_file), self.proved, strict=False):
            try:
                prove(Path(file), known)
            except CelebCollectError as error:
                hint = f"Fetch it again: celebcollect models get {self.name}"
                raise ConfigError(error.message, hint=hint) from error
        return OnnxEngine(self)


def onnx_spec(
    detector_file: str, embedder_file: str, embedder_input: Literal["0..255", "-1..1"]
) -> OnnxSpec:
    """
    Describe two model files; their contents are part of the versions.

    A TOML beside the embedder, of the same name (`mine.onnx`, `mine.toml`), holds their numbers.

    Raises:
        ConfigError: A file cannot be read, or onnxruntime is not installed.
    """
    _needs_runtime()
    beside = Path(embedder_file).with_suffix(".toml")
    numbers = read_own(beside).numbers() if beside.is_file() else UNTESTED
    return _described("own", (detector_file, embedder_file), embedder_input, numbers)


def own_spec(name: str) -> OnnxSpec:
    """
    Describe one's own models that were installed by name.

    Raises:
        ConfigError: A file cannot be read, or onnxruntime is not installed.
    """
    _needs_runtime()
    folder = models_folder() / name
    own = read_own(folder / NUMBERS_FILE)
    files = str(folder / own.detector), str(folder / own.embedder)
    return _described(name, files, own.embedder_input, own.numbers())


def yunet_sface_spec() -> OnnxSpec:
    """Return the engine of OpenCV Zoo's two models, whose bytes are proved when it is loaded."""
    _needs_runtime()
    folder = YUNET_SFACE_SET.folder
    return OnnxSpec(
        str(folder / YUNET.name),
        str(folder / SFACE.name),
        "0..255",
        detector="yunet-2023mar-1",
        embedder="sface-2021dec-1",
        name=YUNET_SFACE_SET.name,
        numbers=YUNET_SFACE,
        proved=(YUNET, SFACE),
    )


def _described(
    name: str,
    files: tuple[str, str],
    embedder_input: Literal["0..255", "-1..1"],
    numbers: EngineNumbers,
) -> OnnxSpec:
    detector, embedder = (f"onnx-{_digest(file)}" for file in files)
    return OnnxSpec(
        *files,
        embedder_input,
        detector,
        f"{embedder} {embedder_input}",
        name=name,
        numbers=numbers,
    )


def _needs_runtime() -> None:
    if find_spec("onnxruntime") is None:
        raise ConfigError(
            "[clean] names face models, but onnxruntime is not installed", hint=INSTALL
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
        self.embed(self.align(picture, Face((0, 0, TRIAL_PX, TRIAL_PX))))

    def detect(self, pixels: Pixels) -> list[Face]:
        """Return the faces with their five landmarks."""
        canvas, factor = self._fitted(pixels)
        found = self._detector.run(canvas[:, :, ::-1])
        try:
            faces = faces_in(found, width_px=canvas.shape[1], height_px=canvas.shape[0])
        except NotYunet as error:
            raise self._detector.unfit(str(error)) from error
        # What lies in the padding, or is flat, is nothing that could be cut out.
        return [
            face for face in (face.moved(1 / factor) for face in faces) if _inside(face, pixels)
        ]

    def detect_hard(self, pixels: Pixels) -> list[Face]:  # noqa: ARG002 - the interface's
        """Return none: YuNet has no slower way."""
        return []

    def _fitted(self, pixels: Pixels) -> tuple[Pixels, float]:
        """Return the picture on the canvas that the model wants, and how it was scaled for that."""
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

    def align(self, pixels: Pixels, face: Face, *, room: float = 1) -> Pixels:
        """Return the face on ArcFace's template, (112, 112, 3)."""
        return align(pixels, face, room=room)

    def embed(self, aligned: Pixels) -> Embedding:
        """Return the vector of the aligned face, of length 1."""
        picture = aligned.astype(np.float32)
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


def _inside(face: Face, pixels: Pixels) -> bool:
    """Tell whether at least one pixel of the picture is in the box."""
    left, top, right, bottom = face.box
    height, width = (float(side) for side in pixels.shape[:2])
    return min(right, width) - max(left, 0.0) >= 1 and min(bottom, height) - max(top, 0.0) >= 1
