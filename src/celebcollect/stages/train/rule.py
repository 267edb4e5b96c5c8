"""Choose from when on a face is nobody of those whom a model knows.

One distance is not fair: dlib took all East Asian strangers for somebody at one that took 6 % of
white ones. So the distance to the nearest mean face is divided by how crowded the neighbourhood of
the face is. The limit comes from the known people themselves: each is taken out in turn and asked
about as a stranger.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from celebcollect.checks.identity import embedding_version
from celebcollect.config.sections import CleanConfig
from celebcollect.domain.errors import ConfigError
from celebcollect.stages.train.model import Model, StrangerRule
from celebcollect.vision.dlib_engine import DlibSpec
from celebcollect.vision.engines import engine_for
from celebcollect.vision.likeness import CrowdedLimit
from celebcollect.vision.model_sets import SFACE
from celebcollect.vision.numbers import DLIB, UNTESTED, YUNET_SFACE, EngineNumbers

ENOUGH_PEOPLE = 20
"""From so many known people on, they themselves tell where strangers lie."""

MEASURED_RATE = 0.01
"""False-accept rate up to which the engines' own limits are never exceeded: a threshold of all
people together is paid for by the groups in which people are alike (docs/faces.md)."""


def numbers_of(version: str, clean: CleanConfig) -> EngineNumbers:
    """Return the numbers of the engine whose embeddings are marked with this version."""
    try:
        spec = engine_for(clean.model_copy(update={"faces": "auto"}))
    except ConfigError:  # another engine than the embeddings' is asked for, and is not here
        spec = None
    if spec is not None and embedding_version(spec) == version:
        return spec.numbers
    if DlibSpec().embedder in version:
        return DLIB
    if "sface-2021dec" in version or f"onnx-{SFACE.sha256[:12]}" in version:
        return YUNET_SFACE
    return UNTESTED


def with_fair_rule(model: Model, numbers: EngineNumbers, rate: float) -> Model:
    """
    Return the model with the rule for strangers that fits its engine and how many people it knows.

    Args:
        model: Knows the people; its own rule is left aside.
        numbers: Of the engine that made the embeddings.
        rate: Share of strangers that may be taken for somebody.
    """
    limits = numbers.strangers
    likeness = numbers.likeness
    crowd = likeness.prototypes if isinstance(likeness, CrowdedLimit) else None
    if crowd is None or crowd.shape[1] != model.vectors.shape[1]:
        crowd = np.empty((0, model.vectors.shape[1]), dtype=np.float32)
    few = len(model.people) < ENOUGH_PEOPLE
    if few and (not len(crowd) or limits.crowd is None):
        return replace(model, rule=StrangerRule.MEAN, threshold=limits.mean_distance, crowd=crowd)
    model = replace(
        model,
        rule=StrangerRule.CROWD,
        threshold=limits.crowd or np.inf,
        crowd=crowd,
        neighbours=limits.neighbours,
    )
    if few:
        return model
    chosen = _chosen(model.strangers(), rate)
    own = limits.crowd if limits.crowd is not None and rate <= MEASURED_RATE else np.inf
    return replace(model, threshold=round(max(min(chosen, own), 1e-6), 6))


def chosen_by_rate(model: Model) -> bool:
    """Tell whether the people themselves chose the threshold, and not the engine's numbers."""
    return model.rule == StrangerRule.CROWD and len(model.people) >= ENOUGH_PEOPLE


def _chosen(scores: npt.NDArray[np.float64], rate: float) -> float:
    """Return the score below which no more than `rate` of the strangers lie."""
    return float(np.nextafter(np.sort(scores)[int(rate * len(scores))], 0))
