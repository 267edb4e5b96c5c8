"""Commands that only look make nothing, and find the collection that the configuration names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.cli_process import Run

pytestmark = pytest.mark.slow

LOOKING = (
    ("status",),
    ("status", "--json"),
    ("images",),
    ("doctor",),
    ("topics", "list"),
    ("topics", "peek", "urls"),
    ("models", "list"),
    ("explain", "file_missing"),
)


def everything(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
def test_looking_makes_nothing(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Neither a data folder nor anything else appears where nothing was collected yet."""
    before = everything(tmp_path)

    done = run(
        *command,
        DATA_DIR=str(tmp_path / "deep" / "data"),
        WIKIDATA__ENDPOINT="http://127.0.0.1:9/sparql",
        COMMONS__API_URL="http://127.0.0.1:9/w/api.php",
        TMDB__BASE_URL="http://127.0.0.1:9/3",
    )

    assert "Traceback" not in done.stderr
    assert done.returncode == (3 if command == ("doctor",) else 0), done.stderr
    assert everything(tmp_path) == before


def test_looking_changes_nothing_in_a_folder_that_is_there(run: Run, tmp_path: Path) -> None:
    """A log that is gone is not made again by looking."""
    data = tmp_path / "data"
    run("topics", "create", DATA_DIR=str(data))
    before = everything(data)

    for command in (("status",), ("images",), ("topics", "list")):
        assert run(*command, DATA_DIR=str(data)).returncode == 0

    assert everything(data) == before
    assert not (data / "catalogue.sqlite3").exists()


def test_a_folder_is_relative_to_the_file_that_names_it(tmp_path: Path) -> None:
    """The same file means the same collection, wherever the command is run."""
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    (there / "config.toml").write_text('data_dir = "pictures"\n')

    made = _run(here, "--config", str(there / "config.toml"), "topics", "create")
    told = _run(there, "status", "--json")

    assert made.returncode == 0
    assert (there / "pictures" / "log").is_dir()
    assert list(here.iterdir()) == []
    assert json.loads(told.stdout)["topics"]["urls"] == {"messages": 0, "lag": {"validate": 0}}


def test_without_a_file_that_names_it_the_working_directory_counts(tmp_path: Path) -> None:
    """A file that says nothing of it, and the environment, leave it to the working directory."""
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    (there / "config.toml").write_text("[run]\ntarget_images = 5\n")
    (there / "named.toml").write_text('data_dir = "pictures"\n')

    _run(here, "--config", "../there/config.toml", "topics", "create")
    _run(here, "--config", "../there/named.toml", "topics", "create", data_dir="own")

    assert sorted(entry.name for entry in here.iterdir()) == ["data", "own"]
    assert sorted(entry.name for entry in there.iterdir()) == ["config.toml", "named.toml"]


def test_a_collection_of_former_days_is_not_missed_silently(tmp_path: Path) -> None:
    """Where the folder lay beside the reader and not beside the file, a warning names both."""
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "data").mkdir(parents=True)
    there.mkdir()
    (there / "config.toml").write_text('data_dir = "data"\n')

    told = _run(here, "--config", str(there / "config.toml"), "status")

    assert str(there / "data") in told.stderr
    assert str(here / "data") in told.stderr
    assert list((here / "data").iterdir()) == []


def _run(
    folder: Path, *arguments: str, data_dir: str | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder.parent / "nobody")}
    if data_dir:
        environment["CELEBCOLLECT_DATA_DIR"] = data_dir
    return subprocess.run(
        [sys.executable, "-m", "celebcollect", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
