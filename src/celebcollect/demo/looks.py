"""How the demonstration's people look: proportions and colours, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

Colour = tuple[int, int, int]

SKIN: tuple[Colour, ...] = (
    (252, 222, 196),
    (238, 198, 160),
    (218, 168, 122),
    (188, 128, 84),
    (136, 86, 54),
    (96, 62, 42),
)
HAIR: tuple[Colour, ...] = (
    (24, 20, 18),
    (66, 42, 26),
    (126, 80, 38),
    (196, 158, 92),
    (148, 66, 36),
    (170, 170, 172),
)
IRIS: tuple[Colour, ...] = ((64, 44, 26), (48, 80, 126), (66, 112, 72), (98, 100, 104))

ALIKE = 1000
"""Added to the number of a person: somebody else, who looks alike."""


@dataclass(frozen=True)
class Looks:
    """A person's proportions, as fractions of the picture's side."""

    skin: Colour
    hair: Colour
    iris: Colour
    half_width: float
    half_height: float
    eye_gap: float
    eye_size: float
    eye_height: float
    brow: float
    nose_width: float
    nose_length: float
    mouth_width: float
    mouth_height: float
    lips: float
    fringe: float
    long_hair: bool
    beard: bool
    glasses: bool


def complexion(person: int) -> int:
    """Return the tone of a person's skin, 1 the lightest of `len(SKIN)`."""
    return SKIN.index(looks(person).skin) + 1


def looks(person: int) -> Looks:
    """Return how the person with this number looks; from `ALIKE` on like somebody else, nearly."""
    if person >= ALIKE:
        model = looks(person - ALIKE)
        return replace(model, brow=model.brow * 1.1, lips=model.lips * 0.9)
    dice = random.Random(f"looks {person}")  # noqa: S311 - not for secrets
    return Looks(
        skin=dice.choice(SKIN),
        hair=dice.choice(HAIR),
        iris=dice.choice(IRIS),
        half_width=dice.uniform(0.215, 0.285),
        half_height=dice.uniform(0.305, 0.36),
        eye_gap=dice.uniform(0.088, 0.124),
        eye_size=dice.uniform(0.040, 0.058),
        eye_height=dice.uniform(-0.065, -0.025),
        brow=dice.uniform(0.010, 0.024),
        nose_width=dice.uniform(0.034, 0.064),
        nose_length=dice.uniform(0.09, 0.13),
        mouth_width=dice.uniform(0.074, 0.118),
        mouth_height=dice.uniform(0.165, 0.20),
        lips=dice.uniform(0.013, 0.029),
        fringe=dice.uniform(0.05, 0.13),
        long_hair=dice.random() < 0.5,
        beard=dice.random() < 0.3,
        glasses=dice.random() < 0.2,
    )
