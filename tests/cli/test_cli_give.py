"""`export` and `forget` at the command line: what they print, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from celebcollect.domain.records import Status
from cli.cli_process import Run
from stages.exporting import Shelf

pytestmark = pytest.mark.slow


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """The data folder of the program that `run` starts."""
    return Shelf(tmp_path / "data")


def test_an_export_is_told_in_words_and_in_json(run: Run, shelf: Shelf, tmp_path: Path) -> None:
    """What is in it, what was left out and what to do about it; a second export works."""
    for seed in range(5):
        shelf.add(1, seed)
    shelf.add(2, 9, source="tmdb")
    shelf.save()

    first, second = run("export", "out"), run("export", "out", "--json")

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert "5 pictures of 1 people in out" in first.stdout
    assert "5 written" in first.stdout
    assert "1 needs_agreement (`[train] ml_use_permitted`" in first.stdout
    facts = json.loads(second.stdout)
    assert (facts["folder"], facts["format"], facts["images"], facts["people"]) == (
        "out",
        "imagefolder",
        5,
        1,
    )
    assert facts["counts"] == {"unchanged": 5, "written": 0, "removed": 0}
    assert facts["reasons"] == {"needs_agreement": 1}
    assert sum(facts["splits"].values()) == 5


def test_tar_files_with_an_agreement(run: Run, shelf: Shelf, tmp_path: Path) -> None:
    """`--format webdataset`, and the agreement in the configuration."""
    shelf.add(2, 9, source="tmdb")
    shelf.save()

    done = run(
        "export",
        "out",
        "--format",
        "webdataset",
        "--max-shard-mb",
        "1",
        TRAIN__ML_USE_PERMITTED='["tmdb"]',
    )

    assert done.returncode == 0, done.stderr
    assert "shards: 1 written" in done.stdout
    assert len(list((tmp_path / "out").glob("*.tar"))) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export"], "DIR"),
        (["export", "out", "--format", "parquet"], "Formats are imagefolder, webdataset"),
        (["export", "out", "--max-shard-mb", "0"], "max-shard-mb"),
        (["export", "data"], "not empty"),
        (["export", "data/images/out"], "among the collected pictures"),
        (["export", "out\udcff"], "no usable name"),
        (["export", "loop"], "no usable name"),
        (["forget"], "QID"),
        (["forget", "Douglas Adams"], "no Wikidata item"),
        (["forget", "q42"], "no Wikidata item"),
        (["forget", "Q0"], "no Wikidata item"),
        (["forget", "../Q42"], "no Wikidata item"),
        (["forget", "Q42\n"], "no Wikidata item"),
    ],
)
def test_what_cannot_be_ends_with_2(
    run: Run, shelf: Shelf, tmp_path: Path, arguments: list[str], said: str
) -> None:
    """Told with what can be, and nothing is written."""
    shelf.add(1, 1)
    shelf.save()
    (tmp_path / "loop").symlink_to("loop")

    done = run(*arguments)

    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_empty_collection_makes_an_empty_set(run: Run, tmp_path: Path) -> None:
    """And says so: whoever trains on it would like to know."""
    done = run("export", "out")

    assert done.returncode == 4
    assert str(tmp_path / "data") in done.stderr
    assert json.loads((tmp_path / "out" / "classes.json").read_text()) == {}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"status": Status.STORED}, "no picture is accepted (1 stored)"),
        ({"source": "tmdb"}, "1 needs_agreement"),
    ],
    ids=["nothing accepted", "nothing permitted"],
)
def test_pictures_of_which_none_is_exported_end_with_4(
    run: Run, shelf: Shelf, tmp_path: Path, facts: dict[str, Any], said: str
) -> None:
    """Nothing came of what there was; what an earlier export held is gone all the same."""
    good = shelf.add(1, 1)
    shelf.save()
    run("export", "out")
    shelf.catalogue.forget("Q1")
    shelf.add(2, 2, **facts)
    shelf.save()

    done = run("export", "out")

    assert done.returncode == 4, done.stdout + done.stderr
    assert said in done.stderr
    assert not list((tmp_path / "out").rglob(f"*{good.sha256}*"))


def test_forgetting_is_told_in_words_and_in_json(run: Run, shelf: Shelf, tmp_path: Path) -> None:
    """What was removed, what was not found any more, and what nobody can take back."""
    for seed in range(3):
        shelf.add(1, seed)
    shelf.save()
    run("export", "out")
    run("export", "moved")
    (tmp_path / "moved").rename(tmp_path / "elsewhere")

    first, second = run("forget", "Q1"), run("forget", "Q1", "--json")

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert "forgotten: Q1" in first.stdout
    assert "3 pictures" in first.stdout
    assert f"3 pictures in the export {tmp_path / 'out'}" in first.stdout
    assert f"not there any more: the export or gallery {tmp_path / 'moved'}" in first.stdout
    assert "copies elsewhere" in first.stderr
    told = json.loads(second.stdout)
    assert (told["qids"], told["images"], told["files"], told["failed"]) == (["Q1"], 0, 0, {})


def test_an_export_that_cannot_be_cleaned_ends_with_1(
    run: Run, shelf: Shelf, tmp_path: Path
) -> None:
    """Everything else is done, and the folder that still holds the person is named."""
    shelf.add(1, 1)
    shelf.save()
    run("export", "stuck")
    (tmp_path / "stuck" / ".celebcollect-export.json").write_text("broken")

    done = run("forget", "Q1")

    assert done.returncode == 1
    assert "1 exports or galleries still hold Q1" in done.stderr
    assert str(tmp_path / "stuck") in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(shelf.images.files())


def test_a_picture_that_export_misses_is_given_up(run: Run, shelf: Shelf) -> None:
    """It stays "accepted" no longer, and the next export does not count it as missing."""
    gone, kept = shelf.add(1, 1), shelf.add(1, 2)
    shelf.save()
    shelf.images.file(gone.path or "").unlink()

    first, second = run("export", "out", "--json"), run("export", "out", "--json")

    assert json.loads(first.stdout)["reasons"] == {"file_missing": 1}
    assert json.loads(second.stdout)["reasons"] == {}
    rows = shelf.catalogue.images_by_id([gone.id, kept.id])
    assert [rows[image.id].status for image in (gone, kept)] == [Status.FAILED, Status.ACCEPTED]
