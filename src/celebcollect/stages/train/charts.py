"""Draw the report's pictures with Pillow.

They show accuracy by person, confusions, distances and the worst mistakes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from celebcollect.stages.train.evaluation import BIN, BINS, Evaluation, Mistake
from celebcollect.stages.train.model import Model, StrangerRule

INK, FAINT, PAPER = (32, 36, 44), (214, 218, 226), (255, 255, 255)
GOOD, UNSURE, BAD = (46, 125, 80), (214, 158, 46), (190, 60, 60)
# Seen apart by people who do not tell red from green: they differ in lightness too.

MAX_ROWS = 40
"""People in a chart: those with the most mistakes."""
ROW_PX, LABEL_PX, CELL_PX, TILE_PX = 22, 300, 22, 160

COMPARED = {
    StrangerRule.PHOTOGRAPH: "Distance to the nearest training photograph",
    StrangerRule.MEAN: "Distance to the nearest mean face",
    StrangerRule.CROWD: "Distance to the nearest mean face by that to the next ones",
}
"""What the rules compare with the threshold."""

Thumbnail = Callable[[Mistake], Image.Image | None]
"""Returns the face of a mistake, or None where the picture cannot be shown."""


def charts(
    evaluation: Evaluation, names: Mapping[str, str], model: Model, thumbnail: Thumbnail
) -> dict[str, bytes]:
    """Return PNG files by name; empty where nothing was measured."""
    if not evaluation.held_out:
        return {}
    drawn = {
        "accuracy.png": _accuracy(evaluation),
        "confusion.png": _confusion(evaluation, names),
        "distances.png": _distances(evaluation, model),
        "mistakes.png": _mistakes(evaluation.mistakes, names, thumbnail),
    }
    return {name: _png(picture) for name, picture in drawn.items()}


def _accuracy(evaluation: Evaluation) -> Image.Image:
    people = [person for person in evaluation.people if person.held_out]
    people.sort(
        key=lambda person: (person.right / person.held_out, -person.held_out, int(person.qid[1:]))
    )
    shown = people[:MAX_ROWS]
    picture, draw = _sheet(
        LABEL_PX + 460,
        70 + ROW_PX * len(shown),
        f"Unseen: right, unknown, wrong ({len(shown)} of {len(people)} people)",
    )
    for row, person in enumerate(shown):
        y, x = 50 + row * ROW_PX, LABEL_PX
        _text(draw, (10, y + 3), label(person.qid, person.name))
        for number, colour in ((person.right, GOOD), (person.unknown, UNSURE), (person.wrong, BAD)):
            width = round(360 * number / person.held_out)
            draw.rectangle((x, y + 2, x + width, y + ROW_PX - 4), fill=colour) if width else None
            x += width
        _text(draw, (LABEL_PX + 372, y + 3), f"{person.right}/{person.held_out}")
    return picture


def _confusion(evaluation: Evaluation, names: Mapping[str, str]) -> Image.Image:
    found = evaluation.confusions[:MAX_ROWS]
    rows = list(dict.fromkeys(confusion.qid for confusion in found))
    columns = [
        *dict.fromkeys(
            confusion.taken_for for confusion in found if confusion.taken_for != "unknown"
        ),
        "unknown",
    ]
    high = 130 + CELL_PX * max(len(rows), 1)
    picture, draw = _sheet(
        LABEL_PX + max(CELL_PX * len(columns) + 20, 320),
        high,
        "Mistakes: who (rows) was taken for whom (columns)",
    )
    if not rows:
        _text(draw, (10, 60), "No mistakes.")
    for column, qid in enumerate(columns):
        _turned(picture, (LABEL_PX + column * CELL_PX, 40), qid)
    most = max((confusion.pictures for confusion in found), default=1)
    for row, qid in enumerate(rows):
        _text(draw, (10, 124 + row * CELL_PX), label(qid, names.get(qid, "")))
    for confusion in found:
        x, y = (
            LABEL_PX + columns.index(confusion.taken_for) * CELL_PX,
            122 + rows.index(confusion.qid) * CELL_PX,
        )
        base = UNSURE if confusion.taken_for == "unknown" else BAD
        share = 0.35 + 0.65 * confusion.pictures / most
        red, green, blue = (round(255 - (255 - part) * share) for part in base)
        draw.rectangle((x, y, x + CELL_PX - 2, y + CELL_PX - 2), fill=(red, green, blue))
        _text(draw, (x + 4, y + 3), str(confusion.pictures))
    return picture


def _distances(evaluation: Evaluation, model: Model) -> Image.Image:
    left, wide, high = 60, 10, 260
    picture, draw = _sheet(left + wide * BINS + 40, high + 110, COMPARED[model.rule])
    bottom = high + 50
    own, strangers = evaluation.own_distances, evaluation.stranger_distances
    for counts, colour, offset in ((own, GOOD, 0), (strangers, BAD, wide // 2)):
        total = max(sum(counts), 1)
        most = max(max(own) / max(sum(own), 1), max(strangers) / max(sum(strangers), 1))
        for at, count in enumerate(counts):
            if count:
                x = left + at * wide + offset
                draw.rectangle(
                    (x, bottom - round(high * count / total / most), x + wide // 2 - 1, bottom),
                    fill=colour,
                )
    draw.line((left, bottom, left + wide * BINS, bottom), fill=INK)
    for tenth in range(0, BINS, 5):
        _text(draw, (left + tenth * wide - 8, bottom + 6), f"{tenth * BIN:.1f}")
    threshold = model.threshold
    x = left + round(min(threshold / BIN, BINS) * wide)
    draw.line((x, 44, x, bottom), fill=INK, width=2)
    _text(draw, (x + 5, 44), f"unknown beyond {threshold:.2f}")
    _text(draw, (left, bottom + 28), f"{sum(own)} of the person itself", GOOD)
    _text(draw, (left + 220, bottom + 28), f"{sum(strangers)} where the person was a stranger", BAD)
    return picture


def _mistakes(
    mistakes: Sequence[Mistake], names: Mapping[str, str], thumbnail: Thumbnail
) -> Image.Image:
    columns = 6
    rows = -(-len(mistakes) // columns)
    picture, draw = _sheet(
        columns * (TILE_PX + 10) + 10,
        50 + max(rows, 1) * (TILE_PX + 66),
        "The worst mistakes: who it is, taken for, distance",
    )
    if not mistakes:
        _text(draw, (10, 60), "No mistakes.")
    for number, mistake in enumerate(mistakes):
        x, y = 10 + number % columns * (TILE_PX + 10), 44 + number // columns * (TILE_PX + 66)
        face = thumbnail(mistake)
        draw.rectangle((x, y, x + TILE_PX, y + TILE_PX), fill=FAINT)
        if face:
            face.thumbnail((TILE_PX, TILE_PX))
            picture.paste(face, (x + (TILE_PX - face.width) // 2, y + (TILE_PX - face.height) // 2))
        _text(draw, (x, y + TILE_PX + 4), label(mistake.qid, names.get(mistake.qid, ""), 24))
        _text(
            draw,
            (x, y + TILE_PX + 22),
            label(mistake.taken_for, names.get(mistake.taken_for, ""), 24),
            BAD,
        )
        _text(draw, (x, y + TILE_PX + 40), f"{mistake.distance:.2f}")
    return picture


def label(qid: str, name: str, most: int = 42) -> str:
    """
    Return what a chart calls a person.

    Pillow's own font has Latin letters only, so names in other letters are left out.
    """
    try:
        name.encode("latin-1")
    except UnicodeEncodeError:
        name = ""
    text = f"{qid} {name}".strip()
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _sheet(width: int, height: int, title: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((10, 10), title, fill=INK, font=_font(18))
    return picture, draw


def _text(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, colour: tuple[int, int, int] = INK
) -> None:
    draw.text(at, text, fill=colour, font=_font(13))


def _turned(picture: Image.Image, at: tuple[int, int], text: str) -> None:
    strip = Image.new("RGB", (80, CELL_PX), PAPER)
    ImageDraw.Draw(strip).text((2, 2), text, fill=INK, font=_font(13))
    picture.paste(strip.rotate(90, expand=True), at)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
