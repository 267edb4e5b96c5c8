"""What a face engine offers; whatever finds and embeds faces stands behind this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from celebcollect.vision.numbers import EngineNumbers

Pixels = npt.NDArray[np.uint8]
"""(height, width, 3) uint8, RGB, C-contiguous."""

Embedding = npt.NDArray[np.float32]
"""(dimensions,) float32; two of one version are compared by their Euclidean distance."""


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a picture, in its pixels."""

    box: tuple[float, float, float, float]
    """Left, top, right, bottom; may reach beyond the picture."""
    landmarks: tuple[tuple[float, float], ...] = ()
    """x and y of the points that the detector tells, in the detector's order."""
    score: float = 0.0
    """The detector's own measure of confidence."""

    @property
    def width(self) -> float:
        """Return the width of the box."""
        return self.box[2] - self.box[0]

    def rounded(self) -> Face:
        """Return the face to tenths of a pixel and thousandths of the score, as it is kept."""
        left, top, right, bottom = (round(float(side), 1) for side in self.box)
        points = tuple((round(float(x), 1), round(float(y), 1)) for x, y in self.landmarks)
        return Face((left, top, right, bottom), points, round(float(self.score), 3))

    def moved(self, factor: float, *, left: float = 0, top: float = 0) -> Face:
        """
        Return the face in a picture that is `factor` times as large.

        That picture begins at `left`, `top` of the enlarged one.
        """

        def at(x: float, y: float) -> tuple[float, float]:
            return x * factor - left, y * factor - top

        return Face(
            (*at(*self.box[:2]), *at(*self.box[2:])),
            tuple(at(x, y) for x, y in self.landmarks),
            self.score,
        )


@dataclass(frozen=True, slots=True)
class FacesSeen:
    """The faces of one picture, in pixels of the upright picture in its full size."""

    width_px: int
    """Width and height of the upright picture."""
    height_px: int
    faces: tuple[Face, ...]
    """Largest first; of a crowd only so many."""
    count: int
    """How many there are, also those of a crowd that are left out."""
    embeddings: tuple[Embedding, ...] = ()
    """Of `faces`, in their order; empty where they were not asked for."""


@dataclass(frozen=True, slots=True)
class Undecodable:
    """The file cannot be decoded, so that nobody can say what is in it."""

    detail: str


@dataclass(frozen=True, slots=True)
class EngineCrashed:
    """The engine died while it looked at the picture."""


class Engine(Protocol):
    """Finds and embeds faces. To be used by one thread; built in the process that uses it."""

    def detect(self, pixels: Pixels) -> list[Face]:
        """Return the faces that are found at this size of the picture."""
        ...

    def detect_hard(self, pixels: Pixels) -> list[Face]:
        """Return faces that `detect` misses, by a slower way; none without such a way."""
        ...

    def align(self, pixels: Pixels, face: Face, *, room: float = 1) -> Pixels:
        """
        Return the face upright and in the middle of a square, as `embed` takes it.

        Args:
            pixels: The picture; what lies beyond it is black.
            face: A face in it.
            room: How many times as much around the face is shown, both ways, in as many pixels.
        """
        ...

    def embed(self, aligned: Pixels) -> Embedding:
        """Return what tells this face from others."""
        ...


class EngineSpec(Protocol):
    """Says which engine is meant, small enough to be sent to another process."""

    def __hash__(self) -> int: ...

    @property
    def name(self) -> str:
        """Return the name by which `[clean] engine` asks for it."""
        ...

    @property
    def numbers(self) -> EngineNumbers:
        """Return what was measured of it."""
        ...

    @property
    def detector(self) -> str:
        """Return name and version of the detector; another one makes other boxes."""
        ...

    @property
    def embedder(self) -> str:
        """Return name and version of the embedder; only embeddings of one are compared."""
        ...

    def load(self) -> Engine:
        """
        Build the engine; takes a second or so.

        Raises:
            ConfigError: A model file is missing or is no such model.
        """
        ...
