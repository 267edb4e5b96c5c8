"""`forget` asks, tells beforehand, can be taken back, and holds under a merged item."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from cli.cli_process import Run
from sources.sparql_server import SparqlServer
from sources.wikidata_world import crowd
from stages.exporting import contents
from stages.forgetting import World, two_people
from terminal import Terminal

pytestmark = pytest.mark.slow

OWL = "http://www.w3.org/2002/07/owl#"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two people with pictures and messages, as `run` finds them."""
    world = World(tmp_path / "data")
    two_people(world)
    world.save()
    world.bus.close()
    world.catalogue.close()
    return tmp_path / "data"


@contextmanager
def catalogue_of(folder: Path) -> Iterator[EmbeddedCatalogue]:
    with closing(EmbeddedCatalogue(folder / "catalogue.sqlite3")) as catalogue:
        yield catalogue


def test_a_dry_run_says_what_would_go_and_changes_nothing(
    run: Run, data: Path, tmp_path: Path
) -> None:
    """The same numbers as then of the real one."""
    run("export", "out")
    before = {**contents(data / "images"), **contents(data / "quarantine")}

    told = run("forget", "Q1", "--dry-run", "--json")
    words = run("forget", "Q1", "--dry-run")

    assert (told.returncode, words.returncode) == (0, 0), told.stderr
    assert "would be forgotten: Q1" in words.stdout
    assert {**contents(data / "images"), **contents(data / "quarantine")} == before
    with catalogue_of(data) as catalogue:
        assert catalogue.all_forgotten() == []
    done = json.loads(run("forget", "Q1", "--json").stdout)
    said = json.loads(told.stdout)
    same = ("qids", "images", "files", "withdrawn", "exports")
    assert said.pop("dry_run") is True
    assert {key: said[key] for key in same} == {key: done[key] for key in same}
    assert done["exports"] == {str(tmp_path / "out"): 2}


@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 130, 2), ("y\n", 0, 1)])
def test_on_a_terminal_it_asks(data: Path, answer: str, code: int, left: int) -> None:
    """After it has said what would go."""
    shown = _on_a_terminal(data, "forget", "Q1")
    try:
        shown.read_until(r"Forget Q1 for good\?")
        assert "would be removed: 3 pictures" in shown.text
        shown.type(answer)
        assert shown.end() == code
    finally:
        shown.close()
    with catalogue_of(data) as catalogue:
        assert len(catalogue.people()) == left


@pytest.mark.parametrize("redirected", ["2>out.txt", ">out.txt 2>&1"])
def test_it_asks_wherever_the_output_goes(data: Path, redirected: str) -> None:
    """Nobody is forgotten for want of a question, and the question is seen."""
    words = [sys.executable, "-m", "celebcollect", "--log-format", "json", "forget", "Q1"]
    shown = _on_a_terminal(
        data, command=["sh", "-c", f"cd '{data}' && {shlex.join(words)} {redirected}"]
    )
    try:
        shown.read_until(r"Forget Q1 for good\? \[y/N\]: $")
        with catalogue_of(data) as catalogue:
            assert catalogue.all_forgotten() == []
        shown.type("what\n")
        shown.read_until(r"(?s)good\?.*good\?.* $")
        shown.type("n\n")
        assert shown.end() == 130
    finally:
        shown.close()
    with catalogue_of(data) as catalogue:
        assert len(catalogue.people()) == 2


def test_json_on_a_terminal_needs_an_answer_beforehand(data: Path) -> None:
    """A program reads it, and would wait for an answer for ever."""
    shown = _on_a_terminal(data, "forget", "Q1", "--json")
    try:
        assert shown.end() == 2
    finally:
        shown.close()
    assert "--yes" in shown.text


def test_yes_answers(data: Path) -> None:
    """No question comes."""
    shown = _on_a_terminal(data, "forget", "Q1", "--yes")
    try:
        assert shown.end() == 0
    finally:
        shown.close()
    assert "?" not in shown.text


def _on_a_terminal(data: Path, *arguments: str, command: Sequence[str] | None = None) -> Terminal:
    return Terminal(
        command or [sys.executable, "-m", "celebcollect", *arguments],
        columns=100,
        environment={**os.environ, "CELEBCOLLECT_DATA_DIR": str(data)},
        stdin_too=True,
    )


def test_who_was_never_known_ends_with_4(run: Run, data: Path, tmp_path: Path) -> None:
    """Once; and where there is no collection at all, none is made."""
    nowhere = run("forget", "Q1", DATA_DIR=str(tmp_path / "nowhere"))
    stranger, again = run("forget", "Q77"), run("forget", "Q77")
    dry = run("forget", "Q78", "--dry-run", DATA_DIR=str(tmp_path / "nowhere"))

    assert [done.returncode for done in (nowhere, stranger, again, dry)] == [4, 4, 0, 4]
    assert str(tmp_path / "nowhere") in nowhere.stderr
    assert "--config" in nowhere.stderr
    assert not (tmp_path / "nowhere").exists()
    assert (data / "catalogue.sqlite3").exists()


def test_unforget_allows_the_person_again(run: Run, data: Path) -> None:
    """With TMDB id and all; somebody who is not forgotten is none to allow."""
    run("forget", "Q1")

    done, again = run("unforget", "Q1"), run("unforget", "Q1")

    assert (done.returncode, again.returncode) == (0, 4)
    assert "Q1" in done.stdout
    assert "is not forgotten" in again.stderr
    with catalogue_of(data) as catalogue:
        person = catalogue.people(["Q2"])[0]
        back = person.model_copy(update={"qid": "Q1", "tmdb_ids": ("100",)})
        assert catalogue.save_people([back]).new == 1


def test_unforget_names_what_stays_forbidden(run: Run, data: Path) -> None:
    """Ids that an older version forbade; `--id` allows them, and one that is none is refused."""
    with catalogue_of(data) as catalogue:
        catalogue.forbid(["Q1"], ["imdb/nm7"])

    first, wrong = run("unforget", "Q1"), run("unforget", "Q1", "--id", "imdb/nm8")
    named = run("unforget", "Q1", "--id", "imdb/nm7")

    assert [done.returncode for done in (first, wrong, named)] == [0, 4, 0], named.stderr
    assert "imdb/nm7" in first.stdout
    assert "--id" in first.stdout
    assert "imdb/nm7" in named.stdout
    with catalogue_of(data) as catalogue:
        assert (catalogue.all_forgotten(), catalogue.forgotten_ids()) == ([], [])


@pytest.mark.parametrize("merges", [1, 2])
def test_a_merged_item_is_forgotten_too(run: Run, tmp_path: Path, merges: int) -> None:
    """No id elsewhere says that they are one; the old item alone knows."""
    old, new = "Q900000000", f"Q90000000{merges}"
    alone = crowd([0, 7]).replace("wdt:P4985", "wdt:P9")
    chain = "".join(
        f"\nwd:Q90000000{step} <{OWL}sameAs> wd:Q90000000{step + 1} ." for step in range(merges)
    )
    settings = {"WIKIDATA__MIN_INTERVAL_S": "0", "WIKIDATA__DIALECT": "wdqs"}
    with SparqlServer(alone) as before:
        run("wikidata", WIKIDATA__ENDPOINT=before.url, **settings)
    assert run("forget", old).returncode == 0
    with SparqlServer(crowd([merges, 7]).replace("wdt:P4985", "wdt:P9") + chain) as after:
        done = run("wikidata", WIKIDATA__ENDPOINT=after.url, **settings)

    assert done.returncode == 0, done.stderr
    assert f"qid={new} was={old}" in done.stderr
    with catalogue_of(tmp_path / "data") as catalogue:
        assert [person.qid for person in catalogue.people()] == ["Q900000007"]
        assert catalogue.forgotten([old, new]) == {old, new}
    run("unforget", old)
    with catalogue_of(tmp_path / "data") as catalogue:
        assert catalogue.all_forgotten() == []


def test_nobody_is_asked_about_where_nobody_is_forgotten(run: Run) -> None:
    """The question would be for nothing, and an endpoint that fails it would be in the way."""
    with SparqlServer(crowd([1])) as server:
        run("wikidata", WIKIDATA__ENDPOINT=server.url, WIKIDATA__MIN_INTERVAL_S="0")

    assert server.asked
    assert not any("sameAs" in asked.query for asked in server.asked)
