"""The work on one picture: find faces at the sizes that pay, and embed them.

Its public functions run in worker processes, see `workers.Workers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image as Pillow

from celebcollect.pictures.file import PictureFile
from celebcollect.pictures.formats import NotAPicture
from celebcollect.pictures.orientation import upright
from celebcollect.vision import fingerprint
from celebcollect.vision.base import Embedding, Engine, Face, FacesSeen, Pixels, Undecodable
from celebcollect.vision.fingerprint import Fingerprint

LOOK_PX = 640
"""Longer side at which faces are looked for first; the detectors were compared at this size (main
face found in 99.6 % of 261 photographs)."""

SECOND_LOOK_PX = 1280
"""Longer side of the second look, where the first found nothing: a whole figure in a large picture
has a small face."""

SMALL_PX = 400
"""Pictures up to this size get their second look enlarged."""

FACE_PX = 200
"""Width to which a face is scaled down for the embedding; more than 112 pixels make no difference
(measured)."""

MARGIN = 1.0
"""Of the face's width, kept around it for the embedding: landmarks and alignment look beyond the
box."""

MAX_FACES = 30
"""Largest faces that are kept of a picture: whoever wants one face wants no crowd."""


@dataclass(frozen=True, slots=True)
class FaceInPicture:
    """A face that was found before, to be embedded."""

    picture: PictureFile
    face: Face
    """In pixels of the upright picture in its full size."""

    @property
    def id(self) -> str:
        """Return the id of the picture."""
        return self.picture.id


def detect(
    engine: Engine, picture: PictureFile, *, smallest_px: float = 0
) -> FacesSeen | Undecodable:
    """
    Return the faces of a picture.

    Args:
        engine: Looks at the picture in one size after the other.
        picture: The picture.
        smallest_px: A face that is narrower does not end the search: a larger look may find more.
    """
    faces: list[Face] = []
    size = picture.width_px, picture.height_px
    first: tuple[float, Pillow.Image] | None = None
    try:
        for factor, pixels in _looks(picture):
            first = first or (factor, pixels)
            size = _upright_size(picture, pixels)
            found = [face.moved(1 / factor) for face in engine.detect(_array(pixels))]
            faces = found or faces
            if max((face.width for face in faces), default=-1) >= smallest_px:
                break
        if not faces and first:
            factor, pixels = first
            faces = [face.moved(1 / factor) for face in engine.detect_hard(_array(pixels))]
    except NotAPicture as error:
        return Undecodable(str(error))
    faces.sort(key=lambda face: (-face.width, face.box))
    return FacesSeen(*size, tuple(face.rounded() for face in faces[:MAX_FACES]), len(faces))


@dataclass(frozen=True, slots=True)
class FaceMeasured:
    """What is kept of one face."""

    embedding: Embedding
    fingerprint: Fingerprint


def embed(engine: Engine, wanted: FaceInPicture) -> Embedding | Undecodable:
    """Return the embedding of one face."""
    try:
        return engine.embed(engine.align(*_cut_out(wanted.picture, wanted.face)))
    except NotAPicture as error:
        return Undecodable(str(error))


def measure(engine: Engine, wanted: FaceInPicture) -> FaceMeasured | Undecodable:
    """Return embedding and fingerprint of one face; the picture is decoded once for both."""
    try:
        pixels, face = _cut_out(wanted.picture, wanted.face)
    except NotAPicture as error:
        return Undecodable(str(error))
    aligned = engine.align(pixels, face)
    return FaceMeasured(engine.embed(aligned), fingerprint.take(engine, pixels, face, aligned))


def detect_and_embed(engine: Engine, picture: PictureFile) -> FacesSeen | Undecodable:
    """Return the faces of a picture, and the embedding of each."""
    seen = detect(engine, picture)
    if isinstance(seen, Undecodable):
        return seen
    try:
        embeddings = [engine.embed(engine.align(*_cut_out(picture, face))) for face in seen.faces]
    except NotAPicture as error:
        return Undecodable(str(error))
    return replace(seen, embeddings=tuple(embeddings))


def _cut_out(picture: PictureFile, face: Face) -> tuple[Pixels, Face]:
    """Return a face with some of the picture around it, and where it lies there."""
    factor = min(1.0, FACE_PX / max(face.width, 1.0))
    pixels = upright(picture, max(round(picture.long_side_px * factor), 1))
    scaled = face.moved(max(pixels.size) / picture.long_side_px)
    room = MARGIN * scaled.width
    left, top = max(round(scaled.box[0] - room), 0), max(round(scaled.box[1] - room), 0)
    right, bottom = (
        min(round(scaled.box[2] + room), pixels.width),
        min(round(scaled.box[3] + room), pixels.height),
    )
    crop = _array(pixels.crop((left, top, right, bottom)))
    return crop, scaled.moved(1, left=left, top=top)


def _looks(picture: PictureFile) -> Iterator[tuple[float, Pillow.Image]]:
    """
    Yield the picture as it is to be looked at, until somebody stops asking.

    With each comes its size by the full size.
    """
    long_side = picture.long_side_px
    pixels = upright(picture, LOOK_PX)
    yield max(pixels.size) / long_side, pixels
    if long_side > LOOK_PX:
        pixels = upright(picture, SECOND_LOOK_PX)
        yield max(pixels.size) / long_side, pixels
    elif long_side <= SMALL_PX:
        yield 2.0, pixels.resize((2 * pixels.width, 2 * pixels.height), Pillow.Resampling.BICUBIC)


def _upright_size(picture: PictureFile, pixels: Pillow.Image) -> tuple[int, int]:
    width, height = max(picture.width_px, 1), max(picture.height_px, 1)
    stays = (pixels.width >= pixels.height) == (width >= height)
    return (width, height) if stays else (height, width)


def _array(pixels: Pillow.Image) -> Pixels:
    return np.ascontiguousarray(np.asarray(pixels))
