"""Cut the face out of a picture: level, with room around it, in one size for all."""

from __future__ import annotations

import hashlib
import io
import math

from PIL import Image as Pillow

from celebcollect.checks.face_facts import CROP_MARGIN
from celebcollect.pictures.file import PictureFile
from celebcollect.pictures.orientation import upright
from celebcollect.vision.base import Face

SIDE_PX = 224
"""Width and height of a crop: what most networks take."""

QUALITY = 95

MAX_BYTES = 65_536
"""More than a JPEG of this size and quality takes: noise takes 60 KB."""

VERSION = 1
"""Of what is done here; another one cuts all crops anew."""

MAX_ROLL = math.radians(45)
"""Beyond, the points were taken for something that they are not."""


def recipe(face: Face) -> int:
    """
    Return a number below 10^9 that stands for this crop of a picture.

    It is another one when the face is seen elsewhere in the picture.
    """
    told = f"{VERSION} {SIDE_PX} {QUALITY} {face.box} {face.landmarks}"
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big") % 10**9


def cut(picture: PictureFile, face: Face) -> bytes:
    """
    Return a face, which is in pixels of the upright picture, as a JPEG.

    Raises:
        NotAPicture: The file cannot be decoded.
        StorageError: It cannot be read.
    """
    out = io.BytesIO()
    crop_of(picture, face).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def crop_of(picture: PictureFile, face: Face) -> Pillow.Image:
    """
    Return the same as pixels.

    Raises:
        NotAPicture: The file cannot be decoded.
        StorageError: It cannot be read.
    """
    side = face.width * (1 + 2 * CROP_MARGIN)
    # Scaled down before it is turned: the turning looks at four pixels for each of its own.
    long_side = picture.long_side_px
    pixels = upright(picture, max(round(long_side * min(1.0, SIDE_PX / max(side, 1.0))), 1))
    factor = max(pixels.size) / long_side
    return _turned(pixels, face.moved(factor), side * factor)


def _turned(pixels: Pillow.Image, face: Face, side: float) -> Pillow.Image:
    """
    Return the square of `side` around the face, turned so that the eyes are level.

    It is black where it leaves the picture.
    """
    roll = roll_of(face.landmarks)
    step = side / SIDE_PX
    cosine, sine = step * math.cos(roll), step * math.sin(roll)
    middle_x, middle_y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
    half = SIDE_PX / 2
    # From a pixel of the crop to one of the picture: x' = a x + b y + c, y' = d x + e y + f.
    matrix = (
        cosine,
        -sine,
        middle_x - half * cosine + half * sine,
        sine,
        cosine,
        middle_y - half * sine - half * cosine,
    )
    return pixels.transform(
        (SIDE_PX, SIDE_PX), Pillow.Transform.AFFINE, matrix, Pillow.Resampling.BICUBIC
    )


def roll_of(landmarks: tuple[tuple[float, float], ...]) -> float:
    """
    Return by how much a face is turned clockwise, in radians; 0 where the points do not tell.

    Detectors order five points in one of two ways: two corners of each eye and the nose (dlib),
    where the first two are close together, or both eyes, nose and corners of the mouth (YuNet,
    RetinaFace), where they are far apart.
    """
    if len(landmarks) != 5:
        return 0.0
    first, second, third, fourth, _ = landmarks
    if math.dist(first, second) < math.dist(first, third) / 2:
        eyes = [
            ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in ((first, second), (third, fourth))
        ]
    else:
        eyes = [first, second]
    (left_x, left_y), (right_x, right_y) = sorted(eyes)
    roll = math.atan2(right_y - left_y, right_x - left_x)
    return roll if abs(roll) <= MAX_ROLL else 0.0
