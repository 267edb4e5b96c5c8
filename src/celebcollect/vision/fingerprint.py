"""Tell whether two aligned faces are cut from the same photograph, mirrored or not.

The perceptual hash of a whole picture is lost when it is cropped, mirrored or gets a bar. The
middle of the face stays, and its landmarks lie nearly in the same place whatever is around it. So
two small pictures of it are kept beside the embedding: the middle of the face in grey, and what is
around it in colour, as far as the picture goes. Before two are correlated, one is moved onto the
other (`registration`). Another shot of the session differs in the face, or else around it.

Fingerprints of two versions, or of two engines, whose faces are aligned in other ways, say nothing
about one another.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from celebcollect.vision.base import Engine, Face, Pixels
from celebcollect.vision.registration import SIDE, Moves, Values, moved_places, registered

VERSION = 1
"""Names what is stored and how it is cut."""

AROUND = 12
"""Pixels a side of what is around the face."""

_ROOM = 2
"""That shows so many times the side of the aligned face."""
_MIDDLE = 0.5625
"""Of the aligned face's side: brows to mouth. What is further out is cut off in tight crops."""
_PLAIN = 4.0
"""Deviation of a row or column of pixels below which, at an edge, it is a bar and no picture."""
_INSIDE = 229
"""Of 255: how much of a cell lies in the picture, so that its colour is told."""
_FEW = 0.1
"""Share of the surroundings that must be in both pictures to say anything."""
_CHUNK = 256
"""Pairs at once: some 10 MB of numbers."""

Fingerprint = npt.NDArray[np.uint8]
"""(SIDE * SIDE + AROUND * AROUND * 3,) uint8: the middle of the face, grey, its contrast stretched
to a byte; then the surroundings in colour, black where there is no picture."""
_LENGTH = SIDE**2 + AROUND**2 * 3


@dataclass(frozen=True, slots=True)
class Alike:
    """How alike pairs of fingerprints are, an entry for each."""

    face: Values
    """Correlation of the faces, -1 to 1, the better of straight and mirrored."""
    around: Values
    """The same of what is around them; 1 where hardly anything is in both pictures."""
    is_mirrored: npt.NDArray[np.bool_]


def take(engine: Engine, pixels: Pixels, face: Face, aligned: Pixels) -> Fingerprint:
    """
    Return the fingerprint of a face.

    Args:
        engine: Aligned it.
        pixels: The picture, or so much of it as is known.
        face: In pixels of that.
        aligned: What the engine made of it.
    """
    middle, half = aligned.shape[0] / 2, aligned.shape[0] * _MIDDLE / 2
    small = (
        Pillow.fromarray(aligned)
        .convert("L")
        .resize(
            (SIDE, SIDE),
            Pillow.Resampling.LANCZOS,
            (middle - half, middle - half, middle + half, middle + half),
        )
    )
    values = np.asarray(small, dtype=np.float64)
    low, high = values.min(), values.max()
    stretched = np.round((values - low) * (255 / max(high - low, 1)))
    around = _surroundings(engine, pixels, face)
    return np.concatenate([stretched.ravel(), around.ravel()]).astype(np.uint8)


def _surroundings(engine: Engine, pixels: Pixels, face: Face) -> Values:
    """Return what is around a face in colour, 1 to 255, and 0 where there is no picture."""
    grey = np.asarray(Pillow.fromarray(pixels).convert("L"))
    rows, columns = _without_bars(grey), _without_bars(grey.T)
    # What lies beyond the picture comes back black, so nothing else may be.
    shown = np.zeros_like(pixels)
    shown[rows, columns] = np.maximum(pixels[rows, columns], 1)
    seen = engine.align(shown, face, room=_ROOM)
    inside = Pillow.fromarray(np.where(seen.any(axis=-1), 255, 0).astype(np.uint8))
    small, share = (
        np.asarray(one.resize((AROUND, AROUND), Pillow.Resampling.BOX), dtype=np.float64)
        for one in (Pillow.fromarray(seen), inside)
    )
    return np.where(share[..., None] > _INSIDE, np.maximum(small, 1), 0)


def _without_bars(lines: npt.NDArray[np.uint8]) -> slice:
    """Return which lines of a picture are left without plain ones at both edges."""
    # From the edges inwards: hardly any picture has a bar, and then two lines are looked at.
    order = range(len(lines))
    first = next((at for at in order if lines[at].std() >= _PLAIN), len(lines))
    last = next((at for at in reversed(order) if lines[at].std() >= _PLAIN), -1)
    return slice(first, last + 1) if first <= last else slice(0, 0)


def to_text(print_: Fingerprint) -> str:
    """Return a fingerprint as text, with its version."""
    return f"{VERSION}:{base64.b64encode(print_.tobytes()).decode('ascii')}"


def from_text(text: str) -> Fingerprint | None:
    """Read what `to_text` wrote; None: another version's, or nothing."""
    version, _, encoded = text.partition(":")
    if version != str(VERSION):
        return None
    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    return np.frombuffer(data, np.uint8) if len(data) == _LENGTH else None


def compare(some: Fingerprint, others: Fingerprint) -> Alike:
    """Return how alike each of (n, length) fingerprints is to the other in its place."""
    parts = [
        _compared(some[at : at + _CHUNK], others[at : at + _CHUNK])
        for at in range(0, len(some), _CHUNK)
    ]
    names = ("face", "around", "is_mirrored")
    return Alike(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _compared(some: Fingerprint, others: Fingerprint) -> Alike:
    (face, around), (other, other_around) = (_parts(prints) for prints in (some, others))
    straight, moves = registered(face, other)
    mirrored, mirrored_moves = registered(face, other[:, :, ::-1])
    is_mirrored = mirrored > straight
    turned = is_mirrored[:, None, None, None]
    return Alike(
        np.maximum(straight, mirrored),
        _alike_around(
            around,
            np.where(turned, other_around[:, :, ::-1], other_around),
            np.where(is_mirrored[:, None], mirrored_moves, moves),
        ),
        is_mirrored,
    )


def _parts(prints: Fingerprint) -> tuple[Fingerprint, Fingerprint]:
    face, around = np.split(prints, [SIDE**2], axis=1)
    return face.reshape(-1, SIDE, SIDE), around.reshape(-1, AROUND, AROUND, 3)


_PLACES: Values = np.arange(AROUND, dtype=np.float64) - (AROUND - 1) / 2
_OUTSIDE = (
    np.maximum(np.abs(_PLACES[:, None]), np.abs(_PLACES[None])) > _MIDDLE / _ROOM / 2 * AROUND
).ravel()
"""Of the surroundings what is not the middle of the face."""


def _alike_around(some: Fingerprint, others: Fingerprint, moves: Moves) -> Values:
    """Return the correlation of what is around two faces, where both pictures show it."""
    # Moves were found on the face: they are told in its pixels.
    moves = moves * (1, 1, *(2 * [(_MIDDLE / SIDE) / (_ROOM / AROUND)]))
    inside = np.where(others[..., :1] > 0, 255, 0)
    shown = np.concatenate([others, inside], axis=-1).astype(np.float64)
    seen = moved_places(shown, np.arange(len(some)), moves, _PLACES)
    first = some.reshape(len(some), -1, 3).astype(np.float64)
    both = (first[..., 0] > 0) & (seen[..., 3] > 254) & _OUTSIDE
    count = both.sum(axis=1)
    first, second = (
        np.where(both[..., None], values - _mean(values, both, count), 0)
        for values in (first, seen[..., :3])
    )
    lengths = np.sqrt((first**2).sum(axis=(1, 2)) * (second**2).sum(axis=(1, 2)))
    correlation: Values = (first * second).sum(axis=(1, 2)) / np.maximum(lengths, 1e-6)
    return np.where(count < _FEW * _OUTSIDE.sum(), 1.0, correlation)


def _mean(values: Values, where: npt.NDArray[np.bool_], count: npt.NDArray[np.int64]) -> Values:
    """Return the mean colour of each picture where it counts, (n, 1, 3)."""
    mean: Values = (values * where[..., None]).sum(axis=1) / np.maximum(count, 1)[:, None]
    return mean[:, None]
