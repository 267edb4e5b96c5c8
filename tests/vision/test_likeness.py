"""Scores of likeness: by one limit, and by the crowd around two faces."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from celebcollect.vision.likeness import CrowdedLimit, DistanceLimit, euclidean

CROWDED = CrowdedLimit(0.58, 1.02, 2, "dlib_prototypes.npy")


def faces(count: int, seed: int = 1) -> np.ndarray:
    """Return points about as far apart as dlib's embeddings are."""
    return np.random.default_rng(seed).normal(0, 0.05, (count, 128)).astype(np.float32)


def test_distances_are_those_of_the_textbook() -> None:
    """Each point to each other one, and 0 to itself."""
    one, other = faces(5), faces(7, seed=2)

    found = euclidean(one, other)

    assert found.shape == (5, 7)
    assert found == pytest.approx(np.linalg.norm(one[:, None] - other[None], axis=2), abs=1e-5)
    assert np.diag(euclidean(one, one)) == pytest.approx(0, abs=1e-4)


def test_a_limit_is_where_the_score_is_one() -> None:
    """Twice as far apart is twice the score."""
    one = np.zeros((1, 3), np.float32)
    others = np.array([[0.5, 0, 0], [1, 0, 0]], np.float32)

    assert DistanceLimit(0.5).scores(one, others) == pytest.approx(np.array([[1, 2]]))


def test_a_crowd_makes_the_same_distance_count_for_more() -> None:
    """Two faces beside prototypes must be nearer than two that are far from all of them."""
    with resources.as_file(resources.files("celebcollect.vision") / "data") as folder:
        prototypes = np.load(folder / "dlib_prototypes.npy")
    step = np.zeros((1, 128), np.float32)
    step[0, 0] = 0.4
    inside, outside = prototypes[:1], prototypes[:1] * 4

    crowded = CROWDED.scores(inside, inside + step)[0, 0]
    lonely = CROWDED.scores(outside, outside + step)[0, 0]

    assert crowded > lonely
    assert lonely == pytest.approx(0.4 / 0.58, abs=1e-3)  # never more lenient than the limit


def test_the_score_does_not_depend_on_who_else_is_there() -> None:
    """One pair alone scores as the same pair among many, whatever else was collected."""
    many = faces(30)

    assert CROWDED.scores(many, many)[3, 9] == pytest.approx(
        CROWDED.scores(many[3:4], many[9:10])[0, 0], abs=1e-5
    )
    assert CROWDED.scores(many, many) == pytest.approx(CROWDED.scores(many, many).T, abs=1e-5)
