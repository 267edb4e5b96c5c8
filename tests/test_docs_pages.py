"""The documentation says what the code says: tables, errors, reasons, names."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import tomllib
from pathlib import Path
from typing import Any, get_type_hints

import docs
import docs_errors
import docs_tables
import pytest
from pydantic import BaseModel
from rich.cells import cell_len

import celebcollect
from celebcollect import explain
from celebcollect.checks.size import SizeReason
from celebcollect.domain.errors import EXIT_CODES, CelebCollectError
from celebcollect.domain.reasons import Reason
from celebcollect.domain.tally import Tally

ROOT = Path(__file__).parents[1]
DOCS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])

RUN = "run `make docs`"


@pytest.mark.slow
def test_the_tables_of_the_readme_are_those_of_the_code() -> None:
    """Commands with their help, and every key of the configuration."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert docs.readme(text) == text, RUN
    assert "| `gallery DIR` |" in text
    assert "| `store.max_pixels` | `100000000` |" in text


@pytest.mark.slow
@pytest.mark.parametrize("page", ["errors", "reasons"])
def test_errors_and_reasons_are_those_of_the_code(page: str) -> None:
    """Written anew, the pages are the same."""
    wanted = {"errors": docs_errors.errors_page, "reasons": docs_errors.reasons_page}[page]()

    assert (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") == wanted, RUN


def test_every_kind_of_error_says_what_to_do() -> None:
    """Each class has a meaning, an exit code of the contract, and advice that is a sentence."""
    for kind in explain.error_kinds():
        assert kind.exit_code in EXIT_CODES
        assert kind.__doc__
        assert kind.advice.endswith(".")


def test_every_error_says_what_to_do() -> None:
    """Wherever one is made, a hint goes with it: nobody can leave it out."""
    told = docs_errors.told()

    assert len(told) > 60
    assert [error.message for error in told if not error.hint] == []
    with pytest.raises(TypeError, match="hint"):
        CelebCollectError("the disk is full")  # type: ignore[call-arg]


def test_every_reason_that_can_be_counted_is_explained() -> None:
    """`drop` takes members of `Reason` only; whoever declares some, docs and gallery know them."""
    for module in pkgutil.walk_packages(celebcollect.__path__, "celebcollect."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    own = [kind for kind in Reason.__subclasses__() if kind.__module__.startswith("celebcollect.")]

    assert get_type_hints(Tally.drop)["reason"] is Reason
    assert set(own) == set(explain.declared())
    words = [reason.value for kind in own for reason in kind]
    assert len(words) == len(set(words)) > 90
    assert {"too_small", "private_address", "not_found", "tmdb_not_found"} <= set(words)


def test_a_tally_takes_no_word_that_nobody_declared() -> None:
    """What is counted can be explained."""
    tally = Tally()
    tally.drop(SizeReason.TOO_SMALL, 2)

    assert tally.reasons == {"too_small": 2}
    with pytest.raises(TypeError, match="no Reason"):
        tally.drop("too_small")  # type: ignore[arg-type]


def test_reasons_are_words_with_one_sentence() -> None:
    """Snake case, the stage that counts it, a sentence that ends, and advice that ends."""
    for word, reason in explain.known_reasons().items():
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", word)
        assert reason == word == str(reason)
        assert reason.meaning.endswith(".")
        assert reason.advice == "" or reason.advice.endswith(".")
        assert reason.stage in docs_errors.STAGES
        assert explain.meaning(word) == reason.meaning
    assert explain.meaning("of another version") == ""


def look_up(name: str) -> Any:
    """Return what a dotted name stands for: a module, or something in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(["celebcollect", *parts[:length]]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            fields = (
                getattr(found, "__annotations__", {})
                if dataclasses.is_dataclass(found)
                or (isinstance(found, type) and issubclass(found, BaseModel))
                else {}
            )
            found = fields[part] if part in fields else getattr(found, part)
        return found
    raise AttributeError(name)


def test_every_name_in_the_architecture_exists() -> None:
    """The walk of one URL leads through modules and functions that are there."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.stem for path in (ROOT / "src" / "celebcollect").iterdir()}
    names = {
        name
        for name in re.findall(r"`([a-z_]+(?:\.[A-Za-z_]+)+)`", text)
        if name.partition(".")[0] in rooms
    }

    assert len(names) > 40
    for name in sorted(names):
        look_up(name)
    with pytest.raises(AttributeError):
        look_up("stages.collect.no_such_thing")


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that is there."""
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target


def test_a_place_that_is_missing_is_told() -> None:
    """The generator does not write into a text that has no place for it."""
    assert (
        docs_tables.between("a\n<!-- x -->\nold<!-- /x -->b", "x", "new\n")
        == "a\n<!-- x -->\nnew\n<!-- /x -->b"
    )
    with pytest.raises(ValueError, match="no place"):
        docs_tables.between("a", "x", "new")


def test_what_is_shown_of_the_terminal_is_what_the_program_draws() -> None:
    """
    The pictures in docs/terminal have the columns of today, fit their width, name no machine.

    `make pictures` takes them again.
    """
    folder = ROOT / "docs" / "terminal"
    assert {file.stem for file in folder.glob("*.txt")} == {
        *(f"{what}-80" for what in ("run-all", "status", "status-watch")),
        *(f"{what}-200" for what in ("run-all", "status", "status-watch")),
        "run-all-cat",
        "status-cat",
    }
    for file in folder.glob("*-80.txt"):
        assert all(
            cell_len(line) <= 80 for line in file.read_text(encoding="utf-8").splitlines()
        ), file.name
    for file in folder.glob("*-cat.txt"):
        assert "…" not in file.read_text(encoding="utf-8"), (
            f"{file.name}: what goes into a pipe is not cut"
        )
    for file in folder.glob("*.txt"):
        text = file.read_text(encoding="utf-8")
        assert " stage " in text, file.name
        assert "/tmp" not in text
        assert "Traceback" not in text
    assert re.search(
        r"^ stage +done +rate +lag +left +now$",
        (folder / "run-all-80.txt").read_text(encoding="utf-8"),
        re.MULTILINE,
    )


def test_the_diagram_of_the_house_shows_its_layers() -> None:
    """Row by row what import-linter keeps, from the command line down."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = page.split("```")[1].strip().splitlines()
    linted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (layers,) = [
        contract["layers"]
        for contract in linted["importlinter"]["contracts"]
        if "celebcollect.cli" in contract.get("layers", ())
    ]

    drawn = [re.split(" {2,}", row.strip())[0].split(" | ") for row in rows]
    assert drawn == [layer.replace("celebcollect.", "").split(" | ") for layer in layers]
