"""Draw what the report counts: accuracy by person, confusions, distances, the worst mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PIL import Image

from celebcollect.stages.train.evaluation import BIN, BINS, Evaluation, Mistake
from celebcollect.stages.train.model import Model, StrangerRule
from celebcollect.stages.train.svg import FAINT, INK, Drawing, person

GOOD, UNSURE, BAD = "#2e7d50", "#d69e2e", "#be3c3c"
# Seen apart by people who do not tell red from green: they differ in lightness too.

MAX_ROWS = 40
"""People in a chart: those with the most mistakes."""
ROW_PX, LABEL_PX, CELL_PX, TILE_PX = 22, 300, 22, 160
HEAD_PX = 230
"""For the names above the columns, which are turned."""

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
    """Return SVG files by name; empty where nothing was measured."""
    if not evaluation.held_out:
        return {}
    drawn = {
        "accuracy.svg": _accuracy(evaluation),
        "confusion.svg": _confusion(evaluation, names),
        "distances.svg": _distances(evaluation, model),
        "mistakes.svg": _mistakes(evaluation, names, thumbnail),
    }
    return {name: drawing.bytes() for name, drawing in drawn.items()}


def _accuracy(evaluation: Evaluation) -> Drawing:
    people = [found for found in evaluation.people if found.held_out]
    people.sort(
        key=lambda found: (found.right / found.held_out, -found.held_out, int(found.qid[1:]))
    )
    shown = people[:MAX_ROWS]
    title = f"Photographs it had not seen, {len(shown)} of {len(people)} people"
    drawing = Drawing(LABEL_PX + 460, 90 + ROW_PX * len(shown), title)
    drawing.legend((LABEL_PX, 42), (("right", GOOD), ("unknown", UNSURE), ("wrong", BAD)))
    for row, found in enumerate(shown):
        y, x = 68 + row * ROW_PX, LABEL_PX
        drawing.line_of((10, y + 2), LABEL_PX - 20, person(found.qid, found.name))
        for number, colour in ((found.right, GOOD), (found.unknown, UNSURE), (found.wrong, BAD)):
            width = round(360 * number / found.held_out)
            if width:
                drawing.box((x, y + 2), (width, ROW_PX - 6), colour)
            x += width
        drawing.text((LABEL_PX + 372, y + 15), f"{found.right}/{found.held_out}")
    return drawing


def _confusion(evaluation: Evaluation, names: Mapping[str, str]) -> Drawing:
    found = evaluation.confusions[:MAX_ROWS]
    rows = list(dict.fromkeys(confusion.qid for confusion in found))
    others = (one.taken_for for one in found if one.taken_for != "unknown")
    columns = [*dict.fromkeys(others), "unknown"]
    shown = sum(confusion.pictures for confusion in found)
    title = f"Who (rows) was taken for whom (columns), {shown} of {_missed(evaluation)} mistakes"
    width = LABEL_PX + max(CELL_PX * len(columns) + 20, 320)
    drawing = Drawing(width, HEAD_PX + 20 + CELL_PX * max(len(rows), 1), title)
    if not rows:
        drawing.text((10, 60), "No mistakes.")
    for column, qid in enumerate(columns):
        at = (LABEL_PX + column * CELL_PX + 15, HEAD_PX - 6)
        drawing.text(at, person(qid, names.get(qid, "")), turned=-90)
    most = max((confusion.pictures for confusion in found), default=1)
    for row, qid in enumerate(rows):
        at = (10, HEAD_PX + 2 + row * CELL_PX)
        drawing.line_of(at, LABEL_PX - 20, person(qid, names.get(qid, "")))
    for confusion in found:
        x = LABEL_PX + columns.index(confusion.taken_for) * CELL_PX
        y = HEAD_PX + rows.index(confusion.qid) * CELL_PX
        base = UNSURE if confusion.taken_for == "unknown" else BAD
        drawing.box((x, y), (CELL_PX - 2, CELL_PX - 2), _tint(base, confusion.pictures / most))
        drawing.text((x + 4, y + 15), str(confusion.pictures))
    return drawing


def _missed(evaluation: Evaluation) -> int:
    """Return how many unseen photographs were not taken for the person they show."""
    return sum(found.unknown + found.wrong for found in evaluation.people)


def _tint(colour: str, share: float) -> str:
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    mixed = (round(255 - (255 - part) * (0.35 + 0.65 * share)) for part in parts)
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _distances(evaluation: Evaluation, model: Model) -> Drawing:
    left, wide, high = 60, 10, 260
    drawing = Drawing(left + wide * BINS + 40, high + 110, COMPARED[model.rule])
    bottom = high + 50
    own, strangers = evaluation.own_distances, evaluation.stranger_distances
    most = max(max(own) / max(sum(own), 1), max(strangers) / max(sum(strangers), 1))
    for counts, colour, offset in ((own, GOOD, 0), (strangers, BAD, wide // 2)):
        total = max(sum(counts), 1)
        for at, number in enumerate(counts):
            if number:
                height = max(round(high * number / total / most), 1)
                x = left + at * wide + offset
                drawing.box((x, bottom - height), (wide // 2, height), colour)
    drawing.box((left, bottom), (wide * BINS, 1), INK)
    for tenth in range(0, BINS, 5):
        drawing.text((left + tenth * wide - 8, bottom + 18), f"{tenth * BIN:.1f}")
    x = left + round(min(model.threshold / BIN, BINS) * wide)
    drawing.box((x, 44), (2, bottom - 44), INK)
    drawing.text((x + 5, 54), f"unknown beyond {model.threshold:.2f}")
    drawing.text((left, bottom + 40), f"{sum(own)} nearest to the right person", GOOD)
    told = f"{sum(strangers)} where the person was a stranger"
    drawing.text((left + 220, bottom + 40), told, BAD)
    return drawing


def _mistakes(evaluation: Evaluation, names: Mapping[str, str], thumbnail: Thumbnail) -> Drawing:
    mistakes: Sequence[Mistake] = evaluation.mistakes
    columns = 6
    rows = -(-len(mistakes) // columns)
    title = (
        f"The worst mistakes, {len(mistakes)} of {_missed(evaluation)}: who it is, taken for,"
        " distance"
    )
    size = columns * (TILE_PX + 10) + 10, 50 + max(rows, 1) * (TILE_PX + 66)
    drawing = Drawing(*size, title)
    if not mistakes:
        drawing.text((10, 60), "No mistakes.")
    for number, mistake in enumerate(mistakes):
        x, y = 10 + number % columns * (TILE_PX + 10), 44 + number // columns * (TILE_PX + 66)
        face = thumbnail(mistake)
        drawing.box((x, y), (TILE_PX, TILE_PX), FAINT)
        if face:
            face.thumbnail((TILE_PX, TILE_PX))
            at = (x + (TILE_PX - face.width) // 2, y + (TILE_PX - face.height) // 2)
            drawing.picture(at, face)
        who = person(mistake.qid, names.get(mistake.qid, ""))
        drawing.line_of((x, y + TILE_PX + 4), TILE_PX, who)
        taken_for = person(mistake.taken_for, names.get(mistake.taken_for, ""))
        drawing.line_of((x, y + TILE_PX + 22), TILE_PX, taken_for, BAD)
        drawing.text((x, y + TILE_PX + 53), f"{mistake.distance:.2f}")
    return drawing
