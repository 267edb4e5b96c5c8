"""Draw what is no portrait: several people in one picture, and places without anybody.

The same seed always gives the same pixels.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFilter

from celebcollect.demo.drawing import SIDE_PX, portrait
from celebcollect.demo.looks import Colour

WIDE_PX, HIGH_PX = 640, 440


def group(people: Sequence[int], shot: int) -> Image.Image:
    """Draw shots of several people side by side."""
    picture = Image.new("RGB", (SIDE_PX * len(people), SIDE_PX))
    for place, person in enumerate(people):
        picture.paste(portrait(person, shot), (place * SIDE_PX, 0))
    return picture


def landscape(seed: int) -> Image.Image:
    """Draw hills, a house and trees under a sky with a sun."""
    dice = random.Random(f"landscape {seed}")  # noqa: S311 - not for secrets
    picture = _sky(dice)
    draw = ImageDraw.Draw(picture)
    sun_x, sun_y, sun = (
        dice.randrange(60, WIDE_PX - 60),
        dice.randrange(40, 130),
        dice.randrange(18, 36),
    )
    draw.ellipse((sun_x - sun, sun_y - sun, sun_x + sun, sun_y + sun), fill=(255, 240, 170))
    for hill in range(4):
        _hill(draw, dice, top=190 + 60 * hill, green=150 - 28 * hill)
    ground = HIGH_PX - dice.randrange(40, 80)
    _house(draw, dice.randrange(80, WIDE_PX - 240), ground, dice)
    for _ in range(dice.randrange(3, 7)):
        _tree(draw, dice.randrange(20, WIDE_PX - 20), ground + dice.randrange(-10, 30), dice)
    return picture.filter(ImageFilter.GaussianBlur(0.6))


def _sky(dice: random.Random) -> Image.Image:
    """Return a picture that grows lighter towards the horizon."""
    deep = (dice.randrange(50, 130), dice.randrange(110, 170), dice.randrange(180, 240))
    column = Image.new("RGB", (1, HIGH_PX))
    for y in range(HIGH_PX):
        share = y / HIGH_PX
        column.putpixel(
            (0, y),
            (
                _between(deep[0], 245, share),
                _between(deep[1], 235, share),
                _between(deep[2], 225, share),
            ),
        )
    return column.resize((WIDE_PX, HIGH_PX))


def _between(start: int, end: int, share: float) -> int:
    return round(start + (end - start) * share)


def _hill(draw: ImageDraw.ImageDraw, dice: random.Random, *, top: int, green: int) -> None:
    length, height, offset = dice.uniform(90, 220), dice.uniform(18, 46), dice.uniform(0, math.tau)
    edge = [(x, top + height * math.sin(x / length + offset)) for x in range(0, WIDE_PX + 8, 8)]
    draw.polygon([*edge, (WIDE_PX, HIGH_PX), (0, HIGH_PX)], fill=(green // 2, green, green // 3))


def _house(draw: ImageDraw.ImageDraw, left: int, ground: int, dice: random.Random) -> None:
    wide, high = dice.randrange(90, 150), dice.randrange(60, 90)
    wall: Colour = (dice.randrange(150, 240), dice.randrange(130, 210), dice.randrange(110, 180))
    draw.rectangle((left, ground - high, left + wide, ground), fill=wall)
    draw.polygon(
        [
            (left - 12, ground - high),
            (left + wide + 12, ground - high),
            (left + wide // 2, ground - high - 50),
        ],
        fill=(130, 60, 45),
    )
    draw.rectangle((left + 12, ground - 44, left + 34, ground), fill=(80, 55, 40))


def _tree(draw: ImageDraw.ImageDraw, x: int, ground: int, dice: random.Random) -> None:
    high = dice.randrange(50, 110)
    draw.rectangle((x - 4, ground - high // 3, x + 4, ground), fill=(86, 60, 40))
    leaf: Colour = (dice.randrange(20, 70), dice.randrange(80, 130), dice.randrange(20, 60))
    draw.polygon(
        [
            (x - high // 3, ground - high // 4),
            (x + high // 3, ground - high // 4),
            (x, ground - high),
        ],
        fill=leaf,
    )
