"""Run dlib's convolutional face detector on onnxruntime: turned, half hidden and dark faces.

It costs more than HOG and sees nothing under some 70 pixels, so it is a third look, for pictures in
which HOG finds nobody: on 1,140 photographs of held-out people it found somebody in 44 of 90 such
pictures, all of them real, and nobody in 140 pictures without a face (2026-11-27).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from celebcollect.vision.base import Face, Pixels
from celebcollect.vision.dlib_onnx.detector import BORDER_PX

STEP = 1.44
"""From one size of the picture to the next; dlib's own 1.2 costs more and finds hardly more."""

_CELL_PX, _FIRST_PX = 8, 14
"""A score stands for the window around this place (`dlib/dnn/loss.h`: three halvings of 5x5)."""
_WINDOW_PX = 80
_SMALLEST_PX = 20
_OVERLAP = 0.338
"""Two boxes that fill more than this of the box around both are of one face (from the file)."""

Box = tuple[float, float, float, float]


class ModelSession(Protocol):
    """What is used of an `onnxruntime.InferenceSession`."""

    def run(
        self, outputs: None, inputs: Mapping[str, npt.NDArray[Any]], /
    ) -> list[npt.NDArray[np.float32]]:
        """Return all outputs for these inputs."""
        ...


def find_faces(session: ModelSession, pixels: Pixels) -> list[Face]:
    """Return boxes with their scores, best first, without landmarks; one session per thread."""
    found = sorted(_candidates(session, pixels), key=lambda face: (-face.score, face.box))
    kept: list[Face] = []
    for face in found:
        if all(_overlap(face.box, other.box) <= _OVERLAP for other in kept):
            kept.append(face)
    return kept


def _candidates(session: ModelSession, pixels: Pixels) -> Iterator[Face]:
    original = Pillow.fromarray(pixels)
    for scale, level in _pyramid(original):
        data = np.ascontiguousarray(level.transpose(2, 0, 1)[None], dtype=np.float32)
        scores: npt.NDArray[np.float32] = session.run(None, {"input": data})[0][0, 0]
        for row, column in np.argwhere(scores > 0):
            x = (_CELL_PX * int(column) + _FIRST_PX - BORDER_PX) / scale
            y = (_CELL_PX * int(row) + _FIRST_PX - BORDER_PX) / scale
            half = (_WINDOW_PX - 1) / 2 / scale
            box = (x - half, y - half, x + half, y + half)
            yield Face(box, (), float(scores[row, column]))


def _pyramid(original: Pillow.Image) -> Iterator[tuple[float, Pixels]]:
    """Yield the picture in falling sizes, each with its share of the full size."""
    scale = 1.0
    while min(original.size) * scale >= _SMALLEST_PX:
        size = (round(original.width * scale), round(original.height * scale))
        level = original if scale == 1 else original.resize(size, Pillow.Resampling.BILINEAR)
        yield scale, np.asarray(level)
        scale /= STEP


def _overlap(one: Box, other: Box) -> float:
    """Return the common area by that of the box around both, as dlib's non-max suppression does."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    around = (max(one[2], other[2]) - min(one[0], other[0])) * (
        max(one[3], other[3]) - min(one[1], other[1])
    )
    return width * height / around
