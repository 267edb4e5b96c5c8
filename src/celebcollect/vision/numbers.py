"""What was measured of each face engine: from which size on, and up to which distance, it is right.

One set of numbers for each engine, each with where it is from, because distances of two engines
mean nothing to one another. Keys of the configuration override them (`engines.numbers_for`).
"""

from __future__ import annotations

from dataclasses import dataclass

from celebcollect.vision.likeness import CrowdedLimit, DistanceLimit


@dataclass(frozen=True)
class StrangerLimits:
    """From when on a face is nobody whom a trained model knows (`stages/train/rule.py`)."""

    neighbours: int
    """Mean faces, beside the nearest, that tell how crowded the neighbourhood of a face is."""
    crowd: float | None
    """Distance to the nearest mean face by the mean distance to its neighbours, up to which at most
    some 1 % of strangers of every group were taken for somebody; None: not measured."""
    mean_distance: float
    """The same as a bare distance: the rule for few people where there are no prototypes."""


@dataclass(frozen=True)
class CopyLimits:
    """From when on two faces of one person are from one photograph (`fingerprint.compare`)."""

    distance: float
    """Largest distance of the embeddings: a filter, beyond which nothing is compared."""
    correlation: float
    """Least correlation of the faces, for embeddings that are the same."""
    around: float
    """Least correlation of what is around them."""
    by_distance: float = 0.1
    """How much more correlation is wanted for each unit of distance."""

    def least_correlation(self, distance: float) -> float:
        """Return the correlation from which on faces so far apart are from one photograph."""
        return self.correlation + self.by_distance * distance


@dataclass(frozen=True)
class EngineNumbers:
    """The limits of one engine. Scores are those of its `likeness`: at most 1 is one person."""

    smallest_face_px: int
    """Narrowest face that counts, in pixels of the picture."""
    bystander_fraction: float
    """A further face counts when it is at least this share of the largest one's width."""
    likeness: DistanceLimit | CrowdedLimit
    link: float
    """Mean score up to which two groups of pictures are merged."""
    same_face: float
    """Score of two people's mean faces up to which they may be one person."""
    strangers: StrangerLimits
    copies: CopyLimits | None
    """Of two faces in one photograph; None: not measured, so only hashes find copies."""
    source: str
    """On whose pictures it was measured, and where that is written."""


DLIB = EngineNumbers(
    smallest_face_px=60,
    bystander_fraction=0.5,
    likeness=CrowdedLimit(
        limit=0.58, ratio=1.02, neighbours=2, prototypes_file="dlib_prototypes.npy"
    ),
    link=1.08,
    same_face=0.60,
    strangers=StrangerLimits(neighbours=8, crowd=0.75, mean_distance=0.38),
    copies=CopyLimits(distance=0.35, correlation=0.94, around=0.90),
    source=(
        "526 photographs of 49 people from public collections; the constants were chosen with"
        " these people in view, so expect a little less for others"
    ),
)

YUNET_SFACE = EngineNumbers(
    smallest_face_px=24,
    bystander_fraction=0.6,
    likeness=DistanceLimit(1.10),
    link=1.19 / 1.10,
    same_face=0.60 / 1.10,
    strangers=StrangerLimits(neighbours=5, crowd=0.83, mean_distance=0.93),
    copies=CopyLimits(distance=0.70, correlation=0.92, around=0.90),
    source=(
        "819 faces of 94 people from public collections; the constants were chosen with these"
        " people in view, so expect a little less for others"
    ),
)

UNTESTED = EngineNumbers(
    smallest_face_px=48,
    bystander_fraction=0.6,
    likeness=DistanceLimit(1.10),
    link=1.08,
    same_face=0.545,
    strangers=StrangerLimits(neighbours=5, crowd=None, mean_distance=0.93),
    copies=None,
    source="nobody's pictures: these are SFace's, as a beginning; measure your own",
)
"""For models that come without numbers."""
