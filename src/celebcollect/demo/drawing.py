"""Draw the demonstration's people: nobody's face, nobody's rights.

A person is a set of proportions and colours drawn from a seed; shots vary everything around them.
The same person, shot and size always give the same bytes.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter

from celebcollect.demo.looks import Colour, Looks, looks

SIDE_PX = 480  # of a shot, both ways
Place = Callable[[float, float], tuple[float, float]]
"""Turns a point of the face (fractions of its size, from its middle) into pixels."""
Oval = Callable[[float, float, float, float, Colour], None]
"""Draws an ellipse: middle x, y, half width, half height, fill."""


def portrait(person: int, shot: int, side_px: int = SIDE_PX) -> Image.Image:
    """Draw one shot of a person: an RGB image of `side_px` squared."""
    who = looks(person)
    dice = random.Random(f"shot {person} {shot}")  # noqa: S311
    picture = _background(dice)
    draw = ImageDraw.Draw(picture)
    scale = dice.uniform(0.86, 1.06)
    middle_x = SIDE_PX * (0.5 + dice.uniform(-0.09, 0.09))
    middle_y = SIDE_PX * (0.5 + dice.uniform(-0.05, 0.05))
    light = dice.uniform(0.88, 1.08)

    def place(x: float, y: float) -> tuple[float, float]:
        return middle_x + x * SIDE_PX * scale, middle_y + y * SIDE_PX * scale

    def oval(x: float, y: float, half_width: float, half_height: float, fill: Colour) -> None:
        draw.ellipse(
            [place(x - half_width, y - half_height), place(x + half_width, y + half_height)],
            fill=fill,
        )

    skin, shade = _lit(who.skin, light), _lit(who.skin, light * 0.8)
    hair = _lit(who.hair, light)
    _shoulders(draw, place, dice)
    if who.long_hair:
        oval(0, 0.10, who.half_width * 1.24, who.half_height * 1.22, hair)
    oval(0, 0.30, who.half_width * 0.42, 0.20, shade)
    oval(0, -who.fringe, who.half_width * 1.09, who.half_height * 0.98, hair)
    oval(0, 0.03, who.half_width, who.half_height, skin)
    oval(0, -who.half_height * 0.86, who.half_width * 0.92, who.fringe * 1.2, hair)
    for side in (-1, 1):
        oval(side * who.half_width * 0.98, 0.02, 0.024, 0.055, shade)
        oval(side * who.half_width * 0.55, 0.10, 0.050, 0.034, _blend(skin, (226, 128, 112), 0.25))
    if who.beard:
        oval(0, who.mouth_height + 0.05, who.half_width * 0.62, 0.115, hair)
        oval(0, who.mouth_height - 0.045, who.half_width * 0.50, 0.052, skin)
    _eyes(draw, who, place, oval, dice, shade)
    _nose(draw, who, place, oval, light)
    _mouth(who, oval, dice, skin)
    picture = picture.rotate(
        dice.uniform(-6, 6),
        resample=Image.Resampling.BICUBIC,
        center=(middle_x, middle_y),
        fillcolor=_lit((120, 120, 120), light),
    )
    picture = picture.filter(ImageFilter.GaussianBlur(1.1))
    return (
        picture
        if side_px == SIDE_PX
        else picture.resize((side_px, side_px), Image.Resampling.LANCZOS)
    )


def encode(picture: Image.Image, form: str = "JPEG", quality: int = 90) -> bytes:
    """Return the picture's bytes as a file."""
    out = io.BytesIO()
    picture.save(out, form, quality=quality)
    return out.getvalue()


def _background(dice: random.Random) -> Image.Image:
    picture = Image.new("RGB", (SIDE_PX, SIDE_PX), tuple(dice.randrange(30, 225) for _ in range(3)))
    draw = ImageDraw.Draw(picture)
    for _ in range(14):
        x, y, radius = dice.randrange(SIDE_PX), dice.randrange(SIDE_PX), dice.randrange(40, 190)
        draw.ellipse(
            [x - radius, y - radius, x + radius, y + radius],
            fill=tuple(dice.randrange(20, 236) for _ in range(3)),
        )
    return picture.filter(ImageFilter.GaussianBlur(16))


def _shoulders(draw: ImageDraw.ImageDraw, place: Place, dice: random.Random) -> None:
    cloth = tuple(dice.randrange(20, 220) for _ in range(3))
    draw.ellipse([place(-0.44, 0.40), place(0.44, 0.95)], fill=cloth)


def _eyes(
    draw: ImageDraw.ImageDraw,
    who: Looks,
    place: Place,
    oval: Oval,
    dice: random.Random,
    shade: Colour,
) -> None:
    open_by = dice.uniform(0.46, 0.60)
    look = dice.uniform(-0.3, 0.3)
    for side in (-1, 1):
        x, y = side * who.eye_gap, who.eye_height
        oval(x, y, who.eye_size * 1.2, who.eye_size * 0.85, shade)
        oval(x, y, who.eye_size, who.eye_size * open_by, (244, 242, 238))
        oval(
            x + look * who.eye_size * 0.4,
            y,
            who.eye_size * 0.46,
            who.eye_size * min(0.46, open_by),
            who.iris,
        )
        oval(
            x + look * who.eye_size * 0.4, y, who.eye_size * 0.22, who.eye_size * 0.22, (12, 12, 14)
        )
        lift = dice.uniform(0.058, 0.072)
        ends = [
            place(x - who.eye_size * 1.25, y - lift + 0.006),
            place(x, y - lift - 0.010),
            place(x + who.eye_size * 1.25, y - lift + 0.006),
        ]
        draw.line(
            ends, fill=_lit(who.hair, 0.75), width=max(2, round(who.brow * SIDE_PX)), joint="curve"
        )
        if who.glasses:
            top = place(x - who.eye_size * 1.5, y - who.eye_size * 1.25)
            bottom = place(x + who.eye_size * 1.5, y + who.eye_size * 1.25)
            draw.ellipse([top, bottom], outline=(40, 36, 34), width=4)
    if who.glasses:
        left = place(-who.eye_gap + who.eye_size * 1.5, who.eye_height)
        right = place(who.eye_gap - who.eye_size * 1.5, who.eye_height)
        draw.line([left, right], fill=(40, 36, 34), width=4)


def _nose(draw: ImageDraw.ImageDraw, who: Looks, place: Place, oval: Oval, light: float) -> None:
    tip = who.eye_height + who.nose_length + 0.03
    corners = [
        place(-who.nose_width * 0.35, who.eye_height + 0.02),
        place(who.nose_width * 0.15, who.eye_height + 0.02),
        place(who.nose_width, tip),
        place(-who.nose_width, tip),
    ]
    draw.polygon(corners, fill=_lit(who.skin, light * 0.93))
    for side in (-1, 1):
        oval(
            side * who.nose_width * 0.55,
            tip,
            who.nose_width * 0.28,
            0.011,
            _lit(who.skin, light * 0.5),
        )


def _mouth(who: Looks, oval: Oval, dice: random.Random, skin: Colour) -> None:
    smile = dice.uniform(0.0, 0.03)
    lips = _blend(skin, (170, 40, 50), 0.55)
    oval(0, who.mouth_height, who.mouth_width, who.lips + smile, lips)
    oval(
        0,
        who.mouth_height - smile * 0.8,
        who.mouth_width * 0.9,
        who.lips * 0.3 + smile * 0.5,
        _blend(lips, (250, 245, 240), min(1.0, smile * 30)),
    )


def _lit(colour: Colour, light: float) -> Colour:
    red, green, blue = (max(0, min(255, round(part * light))) for part in colour)
    return red, green, blue


def _blend(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (math.floor(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
