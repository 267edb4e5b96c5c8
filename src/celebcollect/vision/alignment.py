"""Turn, scale and cut a face so that its landmarks lie where an embedder wants them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from celebcollect.vision.base import Face, Pixels

Points = npt.NDArray[np.float64]

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


def align(pixels: Pixels, face: Face, *, room: float = 1) -> Pixels:
    """
    Return the face of 112 pixels whose landmarks lie on the template, (112, 112, 3).

    Args:
        pixels: The picture; what lies beyond it is black.
        face: A face in it.
        room: How many times as much of the picture is shown, both ways.
    """
    points = np.array(face.landmarks[: len(TEMPLATE)], dtype=np.float64)
    if len(points) < len(TEMPLATE):
        left, top, right, bottom = face.box
        points = TEMPLATE / ALIGNED_PX * (right - left, bottom - top) + (left, top)
    middle = ALIGNED_PX / 2
    matrix = _similarity((TEMPLATE - middle) / room + middle, points)
    cut = Pillow.fromarray(pixels).transform(
        (ALIGNED_PX, ALIGNED_PX),
        Pillow.Transform.AFFINE,
        tuple(matrix.ravel()),
        Pillow.Resampling.BILINEAR,
    )
    return np.asarray(cut)


def _similarity(source: Points, target: Points) -> Points:
    """
    Return the (2, 3) matrix of rotation, scale and shift from source points to target points.

    It brings them nearest to one another by least squares.
    """
    mean = source.mean(axis=0)
    centred, aim = source - mean, target - target.mean(axis=0)
    spread = (centred**2).sum()
    cosine = (centred * aim).sum() / spread
    sine = (centred[:, 0] * aim[:, 1] - centred[:, 1] * aim[:, 0]).sum() / spread
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack((turn, target.mean(axis=0) - turn @ mean))
