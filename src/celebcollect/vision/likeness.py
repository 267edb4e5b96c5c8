"""Say how alike two faces are, on a scale where 1 is the limit for one person.

Euclidean distances of some embeddings are not fair: dlib's ResNet puts all East Asian faces near
one another, so that one limit for everybody (0.60) takes 65 % of pairs of two East Asian people of
one sex for one person, and 0.3 % of white ones (9 and 16 people of the calibration set). Dividing a
distance by how crowded the neighbourhood of the two faces is mends that. The neighbourhood is
measured on fixed prototypes and not on the people of the catalogue, so that the same pictures get
the same verdict whatever else was collected.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Protocol

import numpy as np
import numpy.typing as npt

Embeddings = npt.NDArray[np.float32]
"""(n, dimensions) float32."""

Scores = npt.NDArray[np.float32]
"""(n, m) float32, 0 or more; at most 1 between faces of one person."""


class Likeness(Protocol):
    """Compares embeddings of one engine."""

    @property
    def limit(self) -> float:
        """Return the Euclidean distance beyond which no two faces are one person's."""
        ...

    @property
    def label(self) -> str:
        """Return rule and constants; another text may mean other verdicts."""
        ...

    def scores(self, faces: Embeddings, others: Embeddings) -> Scores:
        """Return how far each of (n, d) faces is from each of (m, d) others."""
        ...


@dataclass(frozen=True)
class DistanceLimit:
    """One Euclidean distance for everybody, for embeddings that are fair by themselves."""

    limit: float

    @property
    def label(self) -> str:
        """Return the limit."""
        return f"distance<={self.limit:g}"

    def scores(self, faces: Embeddings, others: Embeddings) -> Scores:
        """Return distances by the limit."""
        return euclidean(faces, others) / np.float32(self.limit)


@dataclass(frozen=True)
class CrowdedLimit:
    """
    A distance by the crowd around the two faces, never more lenient than one limit for everybody.

    With m(x) the mean distance from x to its `neighbours` nearest prototypes, the score of x and y
    is max(d / (ratio * sqrt(m(x) m(y))), d / limit).
    """

    limit: float
    ratio: float
    neighbours: int
    prototypes_file: str
    """Name of an (n, dimensions) float32 array in `vision/data`."""

    @property
    def label(self) -> str:
        """Return the constants and the file of the prototypes."""
        return (
            f"distance<={self.limit:g} ratio<={self.ratio:g} of {self.neighbours}"
            f" in {self.prototypes_file}"
        )

    @cached_property
    def prototypes(self) -> Embeddings:
        """Return the mean faces on which a neighbourhood is measured."""
        file = resources.files("celebcollect.vision") / "data" / self.prototypes_file
        with resources.as_file(file) as path:
            prototypes: Embeddings = np.load(path, allow_pickle=False)
        return prototypes

    def scores(self, faces: Embeddings, others: Embeddings) -> Scores:
        """Return the larger of the two rules' scores."""
        apart = euclidean(faces, others)
        crowd = np.sqrt(np.outer(self._crowd(faces), self._crowd(others)))
        scores: Scores = np.maximum(apart / (self.ratio * crowd), apart / self.limit)
        return scores.astype(np.float32)

    def _crowd(self, faces: Embeddings) -> npt.NDArray[np.float64]:
        """Return the mean distance of (n, d) faces to their nearest prototypes."""
        near = np.sort(euclidean(faces, self.prototypes), axis=1)[:, : self.neighbours]
        # A face on a prototype would divide by nothing.
        mean: npt.NDArray[np.float64] = np.maximum(near.mean(axis=1, dtype=np.float64), 1e-6)
        return mean


def euclidean(faces: Embeddings, others: Embeddings) -> Scores:
    """Return the (n, m) Euclidean distances of (n, d) and (m, d) points."""
    wide, other = faces.astype(np.float64), others.astype(np.float64)
    squares = (wide**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :]
    apart: Scores = np.sqrt(np.maximum(squares - 2 * wide @ other.T, 0)).astype(np.float32)
    return apart
