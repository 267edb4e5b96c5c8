"""The data card and the Croissant metadata: true, complete, and deaf to others' Markdown."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from celebcollect.pictures.formats import EXTENSIONS
from celebcollect.stages.export import About
from celebcollect.stages.export.markdown import escaped
from stages.exporting import ABOUT, HOSTILE, Shelf, library, varied

TMDB_LINE = "This product uses the TMDB API but is not endorsed or certified by TMDB."


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "data")


def tokens(markdown: str) -> list[Token]:
    """Everything that GitHub's Markdown makes of a text, but for links that it finds by itself."""
    parsed = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    return [part for token in parsed for part in (token, *(token.children or ()))]


def body(where: Path) -> str:
    return (where / "README.md").read_text().split("---\n", 2)[2]


def cells(markdown: str) -> list[list[str]]:
    """The rows of all tables, as texts."""
    rows: list[list[str]] = []
    parts = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    for before, token in itertools.pairwise(parts):
        if before.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and before.type in ("td_open", "th_open"):
            rows[-1].append("".join(part.content for part in token.children or ()))
    return [row for row in rows if row]


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        "&lt;b&gt; &amp; &#60;",
        "\\`*_{}[]<>()#+-.!|",
        "$x$ ~~y~~ @z ^n",
        "![]()",
        "<!-- -->",
        "[x]: y",
    ],
)
def test_escaped_text_is_text_and_nothing_else(text: str) -> None:
    """In a paragraph, in a list, in a table: what is shown is what was written."""
    shown = tokens(f"- {escaped(text)}\n\n| a |\n| --- |\n| {escaped(text)} |\n")

    assert {token.type for token in shown} <= {
        "bullet_list_open",
        "list_item_open",
        "paragraph_open",
        "inline",
        "text",
        "paragraph_close",
        "list_item_close",
        "bullet_list_close",
        "table_open",
        "thead_open",
        "tr_open",
        "th_open",
        "th_close",
        "tr_close",
        "thead_close",
        "tbody_open",
        "td_open",
        "td_close",
        "tbody_close",
        "table_close",
        "text_special",
    }
    shown_texts = [
        "".join(part.content for part in token.children or ())
        for token in shown
        if token.type == "inline"
    ]
    assert shown_texts == [text, "a", text]


def test_addresses_in_names_do_not_become_links() -> None:
    """GitHub makes links of bare addresses; of escaped ones it does not."""
    for trap in ("www.evil.example", "https://evil.example/x", "mail@evil.example"):
        assert not re.search(r"www\.|https?:|@evil\.", escaped(trap).replace("\\@", "")), escaped(
            trap
        )


def test_the_card_counts_people_sources_and_licences(shelf: Shelf, tmp_path: Path) -> None:
    """The tables hold what is in the folder, hostile names as they are."""
    added = varied(shelf)
    summary, _ = shelf.export(tmp_path / "out")

    rows = cells(body(tmp_path / "out"))

    people = {row[0]: row[1:] for row in rows if re.fullmatch(r"Q\d+", row[0])}
    assert {qid: row[0] for qid, row in people.items()} == {
        image.qid: image.name for image in added
    }
    assert all(row[1] == "8" and sum(map(int, row[2:])) == 8 for row in people.values())
    for count in (["commons", "36"], ["google", "36"], ["train", str(summary.splits["train"])]):
        assert count in rows
    for licence in (["CC BY-SA 4.0", "27"], ["not told by the source", "27"]):
        assert licence in rows
    assert ["Public domain | <x>", "18"] in rows


def test_no_hostile_text_becomes_markup(shelf: Shelf, tmp_path: Path) -> None:
    """The whole card has our links and our headings, no HTML and no picture."""
    varied(shelf)
    shelf.add(
        1,
        5000,
        author="x\n# head",
        licence="[a](javascript:alert(1))",
        licence_url="javascript:alert(1)",
        source="<img src=x>",
    )
    shelf.export(tmp_path / "out", about=About("1", [("<b>check</b>", "| x |")], {"# reason": 1}))

    shown = tokens(body(tmp_path / "out"))

    assert not [token.content for token in shown if token.type.startswith(("html", "image"))]
    links = {str(token.attrs["href"]) for token in shown if token.type == "link_open"}
    assert all(
        re.fullmatch(
            r"https://www\.wikidata\.org/wiki/Q\d+|https://creativecommons\.org/licenses/by/4\.0/",
            link,
        )
        for link in links
    )
    headings = [
        shown[place + 1].content
        for place, token in enumerate(shown)
        if token.type == "heading_open"
    ]
    known = [
        "Load it",
        "What is in it",
        "How it was cleaned",
        "Rights",
        "Attribution",
        "Known limits",
        "People",
    ]
    assert headings == ["73 pictures of 9 people", *known]


def test_authors_are_named_with_their_licences(shelf: Shelf, tmp_path: Path) -> None:
    """One line for each author and licence of Commons; other sources only where one is told."""
    shelf.add(1, 1, author="Jane Doe")
    shelf.add(1, 2, author="Jane Doe")
    shelf.add(1, 3, author=None, licence="Public domain", licence_url=None)
    shelf.add(1, 4, source="google", author=None, licence=None, licence_url=None)
    shelf.add(1, 5, source="google", author="A. Photographer", licence=None, licence_url=None)
    shelf.export(tmp_path / "out")

    lines = [
        line.replace("\\", "")
        for line in body(tmp_path / "out").splitlines()
        if "by way of" in line
    ]

    assert lines == [
        "- author not told (Public domain), by way of commons: 1 picture",
        (
            "- Jane Doe (CC BY 4.0, <https://creativecommons.org/licenses/by/4.0/>), by way of"
            " commons: 2 pictures"
        ),
        "- A. Photographer (licence not told), by way of google: 1 picture",
    ]


def test_tmdb_is_left_out_unless_an_agreement_is_named(shelf: Shelf, tmp_path: Path) -> None:
    """Also what another source found on TMDB's servers, whose agreement is none with TMDB."""
    shelf.add(1, 1)
    shelf.add(1, 2, source="tmdb", url="https://image.tmdb.org/t/p/original/a.jpg")
    shelf.add(1, 3, source="google", url="https://image.tmdb.org/t/p/w500/b.jpg")

    without, tally = shelf.export(tmp_path / "without")
    wrong, _ = shelf.export(tmp_path / "wrong", ml_use_permitted=["google"])
    permitted, _ = shelf.export(tmp_path / "with", ml_use_permitted=["TMDB"])

    assert (without.images, wrong.images, permitted.images) == (1, 1, 3)
    assert tally.reasons == {"needs_agreement": 2}
    assert "2 pictures were left out" in body(tmp_path / "without")
    assert "2 pictures come from TMDB" in body(tmp_path / "with")
    assert TMDB_LINE in body(tmp_path / "without")
    assert TMDB_LINE in body(tmp_path / "with")


def test_the_card_says_how_the_pictures_were_cleaned(shelf: Shelf, tmp_path: Path) -> None:
    """Each check with its settings, what was thrown out, and who is still to be cleaned."""
    shelf.add(1, 1)
    shelf.export(
        tmp_path / "out", about=About(ABOUT.version, ABOUT.checks, ABOUT.rejected, unclean=3)
    )
    text = body(tmp_path / "out")

    rows = cells(text)

    assert ["size", "too small", "1 min_side_px=100"] in rows
    assert any(row[0] == "near_duplicate" and row[-1] == "3" for row in rows)
    assert "The pictures of 3 people wait to be cleaned" in text
    assert "celebcollect 1.2.3" in text
    assert TMDB_LINE not in text


@pytest.mark.parametrize("layout", ["imagefolder", "webdataset"])
def test_the_front_matter_is_what_the_hub_reads(shelf: Shelf, tmp_path: Path, layout: str) -> None:
    """YAML with the fields of a dataset card; nothing of other people's text in it."""
    varied(shelf, people=2)
    shelf.export(tmp_path / "out", layout)
    hub = library("huggingface_hub")

    facts = hub.DatasetCard.load(tmp_path / "out" / "README.md").data.to_dict()

    assert facts["task_categories"] == ["image-classification"]
    assert facts["size_categories"] == ["n<1K"]
    assert {part["split"] for part in facts["configs"][0]["data_files"]} <= {
        "train",
        "validation",
        "test",
    }
    assert not [name for name in HOSTILE if name in str(facts)]


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["imagefolder", "webdataset"])
def test_croissant_is_valid_and_its_records_can_be_read(
    shelf: Shelf, tmp_path: Path, layout: str
) -> None:
    """The reference library finds no errors or warnings, and yields metadata and pictures."""
    added = varied(shelf, people=3)
    shelf.export(tmp_path / "out", layout, max_shard_bytes=60_000)
    croissant = library("mlcroissant")

    found = croissant.Dataset(jsonld=str(tmp_path / "out" / "croissant.json"))

    issues = found.metadata.ctx.issues
    assert not issues.errors
    assert not issues.warnings
    sets = {
        records.uuid: list(found.records(records.uuid)) for records in found.metadata.record_sets
    }
    metadata = [
        _texts(row) for name, rows in sets.items() if not name.endswith("-content") for row in rows
    ]
    assert {row["sha256"]: row["name"] for row in metadata} == {
        image.sha256: image.name for image in added
    }
    assert {type(row["width_px"]) for row in metadata} == {int}
    pictures = [
        _texts(row) for name, rows in sets.items() if name.endswith("-content") for row in rows
    ]
    webp = sum(image.format == "webp" for image in added) if layout == "imagefolder" else 0
    assert len(pictures) == len(added) - webp
    assert all(row["image"].size == (120, 100) for row in pictures)


def _texts(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name.rpartition("/")[2]: value.decode() if isinstance(value, bytes) else value
        for name, value in row.items()
    }


@pytest.mark.parametrize("layout", ["imagefolder", "webdataset"])
def test_an_empty_set_is_described_too(shelf: Shelf, tmp_path: Path, layout: str) -> None:
    """No picture, no side, no error."""
    summary, _ = shelf.export(tmp_path / "out", layout)
    croissant = library("mlcroissant")

    found = croissant.Dataset(jsonld=str(tmp_path / "out" / "croissant.json"))

    assert (summary.images, summary.people) == (0, 0)
    assert not found.metadata.ctx.issues.errors
    assert json.loads((tmp_path / "out" / "classes.json").read_text()) == {}


def test_what_a_person_overruled_is_counted(shelf: Shelf, tmp_path: Path) -> None:
    """Whoever trains on it may want to know, of scripts most of all."""
    shelf.add(1, 1, restored_from="embedded_script: <script>")
    shelf.add(1, 2, restored_from="blurred: 12")
    shelf.add(2, 3, restored_from="blurred: 13")
    shelf.add(2, 4)
    shelf.export(tmp_path / "out")

    text = body(tmp_path / "out")

    assert "3 pictures of this set were thrown out by a check and brought back" in text
    assert ["blurred", "2"] in cells(text)
    assert ["embedded_script", "1"] in cells(text)


def test_a_set_without_such_says_nothing_of_it(shelf: Shelf, tmp_path: Path) -> None:
    """Most sets."""
    shelf.add(1, 1)
    shelf.export(tmp_path / "out")

    assert "brought back" not in body(tmp_path / "out")


def test_the_loader_of_the_card_takes_every_format(shelf: Shelf, tmp_path: Path) -> None:
    """
    Torchvision's own list of endings has neither GIF nor AVIF.

    It skips such files, and fails for a person who has nothing else; the snippet is run here.
    """
    varied(shelf, people=2, each=4)
    where = tmp_path / "out"
    shelf.export(where)
    code = body(where).split("```python\n")[1].split("```")[0]
    loaded: dict[str, Any] = {}

    def image_folder(root: str, *, is_valid_file: Any) -> None:
        loaded["is_valid_file"] = is_valid_file

    lines = [line for line in code.splitlines() if "endings" in line]
    exec("\n".join(lines), {"ImageFolder": image_folder})

    assert len(lines) == 2
    for extension in EXTENSIONS.values():
        assert loaded["is_valid_file"](f"a/Q1/1.{extension}")
    assert not loaded["is_valid_file"]("a/Q1/metadata.jsonl")


def test_the_numbers_of_the_card_are_the_same_in_every_split(shelf: Shelf, tmp_path: Path) -> None:
    """The snippet is run as it stands, for each split: one person, one number."""
    varied(shelf, people=4, each=6)
    where = tmp_path / "out"
    shelf.export(where)
    code = body(where).split("```python\n")[2].split("```")[0].replace("THIS FOLDER", str(where))
    found: dict[str, int] = {}

    for split in ("train", "validation", "test"):
        names: dict[str, Any] = {}
        exec(code.replace('"train"', repr(split)), names)
        for file, number in names["train"]:
            assert found.setdefault(file.parent.name, number) == number

    assert sorted(found.values()) == list(range(4))
