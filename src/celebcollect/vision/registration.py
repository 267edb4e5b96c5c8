"""Move one small picture onto another: turned, scaled and shifted until they correlate most.

A detector sets landmarks a little apart in every copy of a photograph. Gauss-Newton on the
correlation finds the few pixels between them: Evangelidis and Psarakis, "Parametric image alignment
using enhanced correlation coefficient maximization", IEEE TPAMI 30 (10), 2008.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SIDE = 24
"""Pixels a side of the pictures."""

Values = npt.NDArray[np.float64]

Moves = npt.NDArray[np.float64]
"""(n, 4) float64: scale less 1, sine of the turn, pixels to the right and down."""

_COMPARED = 8
"""Pixels from the middle to each side that are correlated; the others are room to move."""
_STEPS = 10
_ENOUGH_PX = 0.02
_FARTHEST = 0.25, SIDE / 6
"""Scale or turn, and pixels: no copy's landmarks lie further apart."""


def registered(some: npt.NDArray[np.uint8], others: npt.NDArray[np.uint8]) -> tuple[Values, Moves]:
    """
    Return how well the others can be moved onto the first ones, and by which moves.

    Args:
        some: (n, SIDE, SIDE) pictures.
        others: As many, each to be moved onto the one in its place.
    """
    inner = slice(SIDE // 2 - _COMPARED, SIDE // 2 + _COMPARED)
    fixed = _normal(some[:, inner, inner].reshape(len(some), -1))[0]
    pictures = others.astype(np.float64)
    down, right = np.gradient(pictures, axis=(1, 2))
    stacked = np.stack([pictures, right, down], axis=-1)
    best, best_moves = np.full(len(some), -1.0), np.zeros((len(some), 4))
    moves = np.zeros((len(some), 4))
    left = np.arange(len(some))
    for _ in range(_STEPS):
        if not len(left):
            break
        seen = moved_places(stacked, left, moves[left], _PLACES)
        normal, length = _normal(seen[..., 0])
        now = (fixed[left] * normal).sum(axis=1)
        better = left[now > best[left]]
        best_moves[better] = moves[better]
        best[left] = np.maximum(best[left], now)
        step = _step(fixed[left], normal, seen[..., 1:] / length[..., None])
        moves[left] += step
        far = np.abs(moves[left]) > np.repeat(_FARTHEST, 2)
        small = np.abs(step) * (SIDE / 2, SIDE / 2, 1, 1) < _ENOUGH_PX
        left = left[~far.any(axis=1) & ~small.all(axis=1)]
    return best, best_moves


def moved_places(
    pictures: Values, rows: npt.NDArray[np.int64], moves: Moves, places: Values
) -> Values:
    """
    Return what lies at these places of pictures after the moves, (n, places squared, channels).

    Args:
        pictures: (m, side, side, channels); beyond an edge lies what is at the edge.
        rows: (n,) which of them.
        moves: (n, 4), of each.
        places: Columns, and rows as well, from the middle of the picture.
    """
    side = pictures.shape[1]
    middle = (side - 1) / 2
    down, right = (one.ravel() for one in np.meshgrid(places, places, indexing="ij"))
    grow, turn, shift_x, shift_y = (moves[:, at, None] for at in range(4))
    x = np.clip(middle + right * (1 + grow) - down * turn + shift_x, 0, side - 1.001)
    y = np.clip(middle + right * turn + down * (1 + grow) + shift_y, 0, side - 1.001)
    column, row = x.astype(np.int64), y.astype(np.int64)
    part_x, part_y = (x - column)[..., None], (y - row)[..., None]
    pair = rows[:, None]
    above, below = (
        pictures[pair, at, column] * (1 - part_x) + pictures[pair, at, column + 1] * part_x
        for at in (row, row + 1)
    )
    seen: Values = above * (1 - part_y) + below * part_y
    return seen


_PLACES: Values = np.arange(2 * _COMPARED, dtype=np.float64) - _COMPARED + 0.5
_DOWN, _RIGHT = (one.ravel() for one in np.meshgrid(_PLACES, _PLACES, indexing="ij"))


def _normal(values: npt.NDArray[np.generic]) -> tuple[Values, Values]:
    """Return rows with mean 0 and length 1, and the lengths that they had."""
    centred = values.astype(np.float64)
    centred -= centred.mean(axis=1, keepdims=True)
    length = np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    return centred / length, length


def _step(fixed: Values, normal: Values, slopes: Values) -> Moves:
    """Return the Gauss-Newton step of each pair."""
    right, down = slopes[..., 0], slopes[..., 1]
    jacobian = np.stack(
        [right * _RIGHT + down * _DOWN, down * _RIGHT - right * _DOWN, right, down], axis=-1
    )
    jacobian -= jacobian.mean(axis=1, keepdims=True)
    # What only changes the contrast changes no correlation.
    jacobian -= normal[..., None] * (normal[:, None] @ jacobian)
    square = jacobian.transpose(0, 2, 1) @ jacobian
    # A face of one colour has no slopes: it stays where it is.
    damped = square + 1e-4 * square * np.eye(4) + 1e-9 * np.eye(4)
    wanted = jacobian.transpose(0, 2, 1) @ (fixed - normal)[..., None]
    return np.asarray(np.linalg.solve(damped, wanted)[..., 0], dtype=np.float64)
