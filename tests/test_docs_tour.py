"""The tour in the README: its commands work, and write what stands there."""

from __future__ import annotations

import difflib
from pathlib import Path

import docs_tour
import pytest

from celebcollect.vision import dlib_package
from local_web import planted

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(600)  # face work and a browser: a minute on a quiet machine
def test_the_tour_writes_what_the_readme_shows(browser: None, tmp_path: Path) -> None:
    """Every command in turn, numbers aside."""
    steps = docs_tour.steps(README)
    assert len(steps) >= 6

    outputs = docs_tour.run([step.command for step in steps], tmp_path)

    for step, output in zip(steps, outputs, strict=True):
        told = docs_tour.without_numbers(docs_tour.fitted(output, step.shown))
        shown = docs_tour.without_numbers(step.shown)
        assert told == shown, f"$ {step.command}\n" + "\n".join(
            difflib.unified_diff(shown, told, "README", "real", lineterm="")
        )
    assert (tmp_path / "demo" / "gallery" / "index.html").is_file()
    # The demonstration judges itself; this does not take its word for it.
    if dlib_package.why_not() is None:
        left = {
            (file.parent.name, file.stem)
            for file in (tmp_path / "demo" / "data" / "images").rglob("*.*")
        }
        assert left == planted(faces=True)


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    """The tour does not pass over an error, not even in front of a pipe."""
    with pytest.raises(RuntimeError, match="ended with 1"):
        docs_tour.run(["echo one", "false | cat"], tmp_path)


def test_output_takes_the_place_of_the_former_one() -> None:
    """As many lines stay around `...` as there were; other text stays."""
    text = (
        "before\n<!-- tour -->\nfirst\n```console\n$ one | two\nold\n...\nold end\n$"
        " three\n```\nthen\n<!-- /tour -->\n```console\n$ not this\n```\n"
    )

    new = docs_tour.rewritten(text, [["a", "b", "c", "d"], ["e"]])

    assert [step.command for step in docs_tour.steps(text)] == ["one | two", "three"]
    assert new == text.replace("old\n...\nold end\n$ three\n", "a\n...\nd\n$ three\ne\n")


def test_only_numbers_are_overlooked() -> None:
    """Counts, sizes, digests, ports and widths; a word that differs is a difference."""
    shown = [
        "│ accepted │  80 │",
        "at http://127.0.0.1:4711, 1,234 rows, images/Q1/0123456789abcdef.jpg",
        "┏━━━━┓",
    ]
    same = [
        "│ accepted │ 7 │",
        "at http://127.0.0.1:99, 5 rows, images/Q22/fedcba9876543210.jpg",
        "┏━━━━━━┓",
    ]

    assert docs_tour.without_numbers(shown) == docs_tour.without_numbers(same)
    assert docs_tour.without_numbers(shown) != docs_tour.without_numbers(
        ["│ rejected │  80 │", *shown[1:]]
    )
