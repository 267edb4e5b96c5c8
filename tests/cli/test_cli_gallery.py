"""`celebcollect gallery` from outside: results, JSON, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.cli_process import Run
from gallery_world import fill, world

pytestmark = pytest.mark.slow


def test_it_writes_the_page_and_says_what_is_in_it(run: Run, tmp_path: Path) -> None:
    """Once for people, once for programs."""
    with world(tmp_path) as made:
        fill(made)

    first = run("gallery", "out")
    second = run("gallery", "out", "--json")

    assert first.returncode == 0, first.stderr
    assert (
        "3 people; images: 10 accepted, 5 rejected, 1 failed, 0 stored, 1 verified" in first.stdout
    )
    assert (tmp_path / "out" / "index.html").is_file()
    facts = json.loads(second.stdout)
    assert facts["page"] == "out/index.html"
    assert (facts["thumbnails_made"], facts["thumbnails_kept"]) == (0, 15)
    assert facts["images"]["accepted"] == 10


def test_a_program_can_read_what_a_rejection_rests_on(run: Run, tmp_path: Path) -> None:
    """`images --json` tells the measured value and the other picture, as the gallery shows them."""
    with world(tmp_path) as made:
        fill(made)
        rows = {image.id: image for image in made.catalogue.images() if image.duplicate_of}

    told = [json.loads(line) for line in run("images", "--json").stdout.strip().split("\n")]

    assert rows
    assert {(line["detail"], line["duplicate_of"]) for line in told if line["duplicate_of"]} == {
        (image.detail, image.duplicate_of) for image in rows.values()
    }
    assert all({"identity", "restored_from"} <= line.keys() for line in told)


def test_nothing_to_show_ends_with_4(run: Run) -> None:
    """There was nothing to make a page of."""
    done = run("gallery", "out")

    assert done.returncode == 4
    assert done.stderr.splitlines() == [
        "celebcollect: the catalogue holds no picture yet",
        "  `celebcollect run-all` collects some.",
    ]


def test_a_foreign_folder_ends_with_2(run: Run, tmp_path: Path) -> None:
    """It is named and left alone."""
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").touch()

    done = run("gallery", "thesis")

    assert done.returncode == 2
    assert "thesis is not empty" in done.stderr
    assert len(list((tmp_path / "thesis").iterdir())) == 1
