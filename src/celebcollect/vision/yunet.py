"""Read faces out of the numbers that a detector of YuNet's shape gives.

YuNet takes (1, 3, height, width) BGR 0 to 255 and gives, for the strides 8, 16 and 32, `cls_N`,
`obj_N`, `bbox_N` and `kps_N`, as OpenCV's FaceDetectorYN reads them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from celebcollect.vision.base import Face
from celebcollect.vision.onnx_model import Numbers

STRIDES = (8, 16, 32)
MIN_SCORE = 0.7
"""OpenCV's sample takes 0.9, its documentation 0.6 to 0.9; faces that are only likely are wanted
too, for they make a group a group."""
MAX_PX = 1e7
"""Coordinates beyond are no place in a picture."""
MAX_LOG = 50.0
"""Of a box's side in cells: far beyond `MAX_PX`, and no overflow."""
MAX_OVERLAP = 0.3
"""Intersection over union beyond which the weaker of two boxes is the same face (OpenCV's
default)."""

PARTS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
"""Numbers for each cell, by output."""


class NotYunet(Exception):
    """The numbers are not those of such a detector; the message completes "the model ..."."""


def faces_in(found: Mapping[str, Numbers], *, width_px: int, height_px: int) -> list[Face]:
    """
    Return each face once, the most certain first.

    Args:
        found: What the model says, by the name of the output.
        width_px: Size of the canvas that it was shown.
        height_px: Likewise.

    Raises:
        NotYunet: An output is missing, or holds what no detector says.
    """
    faces: list[Face] = []
    for stride in STRIDES:
        columns = width_px // stride
        _check(found, stride, cells=columns * (height_px // stride))
        faces += _decoded(found, stride, columns=columns)
    if any(np.abs((*face.box, *np.ravel(face.landmarks))).max() > MAX_PX for face in faces):
        raise NotYunet("finds faces without end")
    return _strongest(faces)


def _check(found: Mapping[str, Numbers], stride: int, *, cells: int) -> None:
    for part, size in PARTS.items():
        name = f"{part}_{stride}"
        if name not in found:
            raise NotYunet("has not the outputs of a YuNet detector")
        if found[name].size != cells * size:
            raise NotYunet(f"gives {found[name].size} numbers as {name} for {cells} cells")
        if not np.isfinite(found[name]).all():
            raise NotYunet(f"gives {name} that are no finite numbers")


def _decoded(found: Mapping[str, Numbers], stride: int, *, columns: int) -> list[Face]:
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


def _overlap(one: Face, other: Face) -> float:
    width = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    height = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    common = max(width, 0.0) * max(height, 0.0)
    areas = sum((face.box[2] - face.box[0]) * (face.box[3] - face.box[1]) for face in (one, other))
    return common / (areas - common) if areas > common else 0.0
