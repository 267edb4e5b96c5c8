"""A data folder that was copied or moved: whose the exports and the galleries are."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.stages import folder_notes
from cli.cli_process import Run
from stages.exporting import contents
from stages.forgetting import World, two_people

pytestmark = pytest.mark.slow


def exported(run: Run, folder: Path) -> None:
    """Make a collection of two people, with an export and a page outside and one inside."""
    world = World(folder)
    two_people(world)
    world.save()
    world.bus.close()
    world.catalogue.close()
    for command in (("export", "outside"), ("export", str(folder / "inside")), ("gallery", "page")):
        done = run(*command, DATA_DIR=str(folder), CLEAN__FACES="off")
        assert done.returncode == 0, done.stderr


def test_a_copy_leaves_the_exports_of_the_original_alone(run: Run, tmp_path: Path) -> None:
    """Forgetting in the copy changes the copy and what is inside of it."""
    exported(run, tmp_path / "data")
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    before = {name: contents(tmp_path / name) for name in ("outside", "page", "data/inside")}

    done = run("forget", "Q1", DATA_DIR=str(tmp_path / "copy"), CLEAN__FACES="off")

    assert done.returncode == 0, done.stderr
    assert {name: contents(tmp_path / name) for name in before} == before
    assert not list((tmp_path / "copy" / "inside").rglob("Q1*"))
    assert "copied from" in done.stderr

    done = run("forget", "Q1", DATA_DIR=str(tmp_path / "data"), CLEAN__FACES="off")

    assert not list((tmp_path / "outside").rglob("Q1*"))
    assert not list((tmp_path / "data" / "inside").rglob("Q1*"))
    assert "the gallery" in done.stdout


def test_what_was_moved_keeps_its_exports(run: Run, tmp_path: Path) -> None:
    """Those outside are where they were, those inside have come along."""
    exported(run, tmp_path / "data")
    (tmp_path / "data").rename(tmp_path / "moved")

    verified = run("verify", DATA_DIR=str(tmp_path / "moved"))
    done = run("forget", "Q1", DATA_DIR=str(tmp_path / "moved"), CLEAN__FACES="off")

    assert "gone" not in verified.stdout, verified.stdout
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "outside").rglob("Q1*"))
    assert not list((tmp_path / "moved" / "inside").rglob("Q1*"))
    assert not (tmp_path / "data").exists()
    assert "not there any more" not in done.stdout


@pytest.mark.parametrize("command", [("verify",), ("forget", "Q1", "--dry-run")])
def test_who_only_looks_changes_no_note(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    """What is printed is about the folders as they are now; the notes stay."""
    exported(run, tmp_path / "data")
    (tmp_path / "data").rename(tmp_path / "moved")
    before = _notes(tmp_path / "moved")

    done = run(*command, DATA_DIR=str(tmp_path / "moved"), CLEAN__FACES="off")

    assert "moved from" in done.stderr
    assert "gone" not in done.stdout
    assert "not there" not in done.stdout
    assert _notes(tmp_path / "moved") == before


def test_an_original_out_of_reach_is_not_taken_for_moved(run: Run, tmp_path: Path) -> None:
    """Its disk is not mounted: nobody knows, all stays noted, and it is asked again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    exported(run, disk / "data")
    shutil.copytree(disk / "data", tmp_path / "copy")
    disk.rename(tmp_path / "unplugged")
    disk.mkdir()
    before = _notes(tmp_path / "copy")

    away = run("verify", "--fix", DATA_DIR=str(tmp_path / "copy"), CLEAN__FACES="off")
    assert "moved from" not in away.stderr
    assert "out of reach" in away.stderr
    assert _notes(tmp_path / "copy") == before
    disk.rmdir()
    (tmp_path / "unplugged").rename(disk)
    back = run("verify", "--fix", DATA_DIR=str(tmp_path / "copy"), CLEAN__FACES="off")

    assert "copied from" in back.stderr
    assert _notes(tmp_path / "copy")[0] == {str(tmp_path / "copy" / "inside"): "imagefolder"}


def _notes(data: Path) -> list[object]:
    with closing(EmbeddedCatalogue(data / folder_notes.CATALOGUE)) as catalogue:
        names = (folder_notes.EXPORTS, folder_notes.GALLERIES, folder_notes.HOME)
        return [catalogue.note(name) for name in names]


def test_a_link_to_the_folder_is_no_copy(run: Run, tmp_path: Path) -> None:
    """Nor is the same folder by another name."""
    exported(run, tmp_path / "data")
    (tmp_path / "data").rename(tmp_path / "disk")
    (tmp_path / "data").symlink_to(tmp_path / "disk")

    done = run("forget", "Q1", DATA_DIR=str(tmp_path / "data"), CLEAN__FACES="off")

    assert "copied" not in done.stderr
    assert not list((tmp_path / "outside").rglob("Q1*"))
