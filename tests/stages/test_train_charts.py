"""The charts of a training: everybody's name in its own letters, counts that are what they say."""

from __future__ import annotations

import base64
import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from celebcollect.stages.train.charts import charts
from celebcollect.stages.train.evaluation import (
    BINS,
    Confusion,
    Evaluation,
    Mistake,
    PersonResult,
)
from celebcollect.stages.train.model import KnownPerson, Model

NAMES = (
    "محمد صلاح",
    "शाहरुख़ ख़ान",
    "王菲",
    "גל גדות",
    "ธงไชย แมคอินไตย์",
    "방탄소년단",
    "Ελένη Φουρέιρα",
    "თამარ ივერი",
    "Björk <script>alert(1)</script> & \x07\ufffe\u202eevil",
)
SVG = "{http://www.w3.org/2000/svg}"


def evaluation(people: int) -> Evaluation:
    """Two right and one wrong of each person; the worst error of each of the first three."""
    results = tuple(
        PersonResult(f"Q{n + 1}", NAMES[n % len(NAMES)], 9, 3, 2, 0, 1) for n in range(people)
    )
    bins = tuple(int(at < 3) for at in range(BINS))
    return Evaluation(
        held_out=3 * people,
        people=results,
        confusions=tuple(
            Confusion(f"Q{n + 1}", f"Q{(n + 1) % people + 1}", 1) for n in range(people)
        ),
        mistakes=tuple(
            Mistake(f"Q{n + 1}", f"Q{(n + 1) % people + 1}", 0.5, "0" * 64, "x.jpg", None)
            for n in range(3)
        ),
        own_distances=bins,
        stranger_distances=bins,
    )


def drawn(people: int) -> dict[str, ElementTree.Element]:
    measured = evaluation(people)
    names = {found.qid: found.name for found in measured.people}
    known = tuple(KnownPerson(qid=qid, name=name, pictures=1) for qid, name in names.items())
    model = Model(known, np.zeros((people, 4), np.float32), 0.4, "v", "f")
    face = Image.new("RGB", (200, 300), "red")
    files = charts(measured, names, model, lambda _: face.copy())
    return {name: ElementTree.fromstring(data) for name, data in files.items()}


def shown(chart: ElementTree.Element) -> str:
    return "\n".join("".join(element.itertext()) for element in chart.iter(f"{SVG}text"))


@pytest.mark.parametrize("chart", ["accuracy.svg", "confusion.svg", "mistakes.svg"])
def test_names_of_every_script_are_text(chart: str) -> None:
    """The letters themselves, for the reader's fonts to draw, and each name set apart."""
    picture = drawn(len(NAMES))[chart]
    expected = NAMES[:4] if chart == "mistakes.svg" else NAMES[:-1]

    for name in expected:
        assert f"\u2068{name}\u2069" in shown(picture)


def test_no_name_is_markup() -> None:
    """It is shown as it is written, without characters that XML has no way to say."""
    for name, picture in drawn(len(NAMES)).items():
        kinds = {element.tag for element in picture.iter()}
        assert f"{SVG}script" not in kinds
        if name == "accuracy.svg":
            assert "Björk <script>alert(1)</script> & evil" in shown(picture)


@pytest.mark.parametrize("people", [4, 60])
def test_titles_count_what_is_shown_and_what_there_is(people: int) -> None:
    """At most 40 people and 40 cells fit; the title says of how many."""
    pictures = drawn(people)
    titles = {name: picture.findtext(f"{SVG}title") for name, picture in pictures.items()}
    rows = min(people, 40)

    assert titles["accuracy.svg"] == f"Photographs it had not seen, {rows} of {people} people"
    assert f"{rows} of {people} mistakes" in str(titles["confusion.svg"])
    assert f"3 of {people}:" in str(titles["mistakes.svg"])
    assert len([text for text in shown(pictures["accuracy.svg"]).split("\n") if "/3" in text]) == (
        rows
    )
    cells = [text for text in shown(pictures["confusion.svg"]).split("\n") if text == "1"]
    assert len(cells) == rows


def test_faces_are_in_the_file() -> None:
    """A chart that is sent to somebody needs no other file."""
    images = list(drawn(4)["mistakes.svg"].iter(f"{SVG}image"))

    assert len(images) == 3
    for image in images:
        kind, data = image.attrib["href"].split(",")
        assert kind == "data:image/jpeg;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as face:
            assert face.size == (107, 160)


def test_nothing_measured_is_no_chart() -> None:
    """Two people with two pictures each, say."""
    model = Model(
        (KnownPerson(qid="Q1", name="A", pictures=1),), np.zeros((1, 4), np.float32), 0.4, "v", "f"
    )

    assert charts(Evaluation(), {}, model, lambda _: None) == {}
