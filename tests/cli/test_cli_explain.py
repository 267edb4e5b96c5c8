"""`celebcollect explain` from outside: what it prints, JSON, exit codes, and no trace of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.cli_process import Run


@pytest.mark.slow
def test_a_reason_is_explained_and_nothing_is_made(run: Run, tmp_path: Path) -> None:
    """Meaning, stage, and what to do; no folder, no file, and no configuration is looked at."""
    (tmp_path / "config.toml").write_text("this is = no TOML at all")

    done = run("explain", "too_small")

    assert (done.returncode, done.stderr) == (0, "")
    first, meaning, advice = done.stdout.splitlines()
    assert first == "too_small (a reason, counted by clean)"
    assert "min_side_px" in meaning
    assert advice.startswith("What to do: Lower `[store] min_side_px`")
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "facts"),
    [
        ("tmdb_not_found", {"kind": "reason", "stage": "sources"}),
        ("sourceblocked", {"kind": "error", "exit_code": 3, "word": "SourceBlocked"}),
        ("4", {"kind": "exit code"}),
        ("Near-Duplicate", {"kind": "reason", "word": "near_duplicate"}),
    ],
)
def test_a_program_reads_json(run: Run, word: str, facts: dict[str, object]) -> None:
    """Reasons of sources and checks, classes of errors, exit codes; spelling is forgiven."""
    done = run("explain", word, "--json")

    told = json.loads(done.stdout)
    assert facts.items() <= told.items()
    assert told["meaning"].endswith(".")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "hint"), [("to_small", "too_small"), ("xyzzy", "celebcollect status")]
)
def test_an_unknown_word_is_wrong_usage(run: Run, word: str, hint: str) -> None:
    """What is spelt like it is named; for a word like no other, where all of them stand."""
    done = run("explain", word)

    assert done.returncode == 2
    assert done.stdout == ""
    what, said = done.stderr.splitlines()
    assert repr(word) in what
    assert hint in said
