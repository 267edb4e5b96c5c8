"""`run-all` and `status` in a real terminal, and without one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from celebcollect.demo.tmdb import TOKEN
from celebcollect.demo.web import SmallWeb
from local_web import Collection
from terminal import Terminal

pytestmark = pytest.mark.slow

ONE_SOURCE = ("run-all", "--sources", "commons")


@pytest.fixture(scope="module")
def web() -> Iterator[SmallWeb]:
    with SmallWeb() as web:
        yield web


@pytest.fixture(scope="module")
def collection(web: SmallWeb, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """A folder of which nobody knows anything yet; commons is slow enough to be seen at work."""
    collection = Collection(tmp_path_factory.mktemp("terminal") / "it", web)
    collection.config.write_text(
        collection.config.read_text().replace(
            'api.php"\nrequests_per_s = 100', 'api.php"\nrequests_per_s = 6'
        )
    )
    return collection


def terminal(collection: Collection, *arguments: str, columns: int) -> Terminal:
    command = [sys.executable, "-m", "celebcollect", "--config", str(collection.config), *arguments]
    return Terminal(
        command, columns=columns, environment={**os.environ, "CELEBCOLLECT_TMDB__TOKEN": TOKEN}
    )


def test_a_run_is_shown_live_and_told_at_its_end(collection: Collection) -> None:
    """A line per stage, none wider than the terminal; then who is short, why, what next."""
    shown = terminal(collection, *ONE_SOURCE, columns=80)
    try:
        live = shown.read_until(r"commons +[1-9]\d*/10 .*\n(.*\n)* clean ")
        assert shown.end() == 0
        text = shown.text
    finally:
        shown.close()

    assert re.search(r"run-all · round 1 of at most 3 · 10 people · \d+ s", live)
    tables = [
        line
        for line in live.splitlines()
        if re.match(r" (stage|wikidata|commons|validate|store|clean) ", line)
    ]
    assert tables
    assert all(cell_len(line) <= 80 for line in tables)
    assert "0 of 10 people have 8 pictures:" in text
    assert re.search(r"Ada Brightwater \(Q900001000\) has \d\. no more: commons", text)
    assert "and 2 more. no more: commons for 2" in text
    assert "No source has more of those who are short" in text
    assert f"celebcollect --config {collection.config} export DIR" in " ".join(text.split())


def test_status_stays_on_the_terminal_and_follows_its_width(collection: Collection) -> None:
    """Drawn again for the new width; Ctrl-C ends it, and that is no failure."""
    collection.run(*ONE_SOURCE)
    shown = terminal(collection, "status", "--watch", columns=80)
    try:
        narrow = shown.read_until(r"train is [1-9]\d* messages behind on dataclean")
        before = len(shown.text)
        shown.resize(200)
        # To the last line of the picture: a terminal gives it in pieces.
        wide = shown.read_until(r"so far[\s\S]*train is", after=before)
        shown.interrupt()
        assert shown.end(timeout_s=20) == 0
    finally:
        shown.close()

    assert "so far" not in narrow
    assert re.search(r"commons +10/10 +0 +[1-9]\d* found", narrow)
    assert re.search(r"clean +([1-9]\d*)/\1 ", wide)


def test_status_without_a_terminal_writes_lines(collection: Collection) -> None:
    """What changed, with the time; SIGINT ends it with 0."""
    process = collection.start("status", "--watch", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    lines = [process.stdout.readline().decode() for _ in range(6)]
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=20)

    assert (process.returncode, error) == (0, b"")
    assert [line.split()[1] for line in lines] == [
        "google",
        "tmdb",
        "commons",
        "validate",
        "store",
        "clean",
    ]
    assert "\x1b" not in "".join(lines)


def test_a_quiet_run_with_nothing_to_do_says_nothing(collection: Collection) -> None:
    """So that cron sends no mail; the same goes for the stages."""
    collection.run(*ONE_SOURCE)
    for command in (ONE_SOURCE, ("validate",), ("store",), ("clean",), ("scrape-commons",)):
        process = collection.start("-q", *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        assert process.communicate(timeout=60) == (b"", b""), command
        assert process.returncode == 0


def test_a_source_that_cannot_be_used_disturbs_neither_cron_nor_programs(
    web: SmallWeb, tmp_path: Path
) -> None:
    """No token and no browser: no mail for it every night, no text among the JSON."""
    collection = Collection(tmp_path / "it", web)
    lacking = {"CELEBCOLLECT_GOOGLE__BROWSER": "/nowhere", "CELEBCOLLECT_TMDB__TOKEN": ""}
    said = []
    for options in (["--log-format", "json"], ["-q"]):
        process = collection.start(
            *options, "run-all", stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=lacking
        )
        said.append(process.communicate(timeout=120)[1])
        assert process.returncode == 0

    lines = [json.loads(line)["message"] for line in said[0].splitlines()]
    assert [line.partition(":")[0] for line in lines if line.startswith("without")] == [
        "without google",
        "without tmdb",
    ]
    assert said[1] == b""


def test_everything_can_be_read_by_programs(web: SmallWeb, tmp_path: Path) -> None:
    """With --log-format json every line on stderr is an object; the result alone is on stdout."""
    collection = Collection(tmp_path / "it", web)
    process = collection.start(
        "--log-format",
        "json",
        *ONE_SOURCE,
        "--json",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, error = process.communicate(timeout=120)

    assert process.returncode == 0
    assert {"time", "level", "logger", "message"} <= json.loads(error.splitlines()[0]).keys()
    assert all(json.loads(line) for line in error.splitlines())
    result = json.loads(out)
    assert {"people", "rounds", "stages", "blocked", "failed", "short"} <= result.keys()
    assert (result["people"], len(result["short"])) == (10, 10)


def test_stages_can_be_run_in_small_bites(web: SmallWeb, tmp_path: Path) -> None:
    """`--limit` bounds what one call does, and the next goes on; `--since` bounds a list."""
    collection = Collection(tmp_path / "it", web)
    collection.run("wikidata")
    for command in (
        ("scrape-commons", "--limit", "3"),
        ("validate", "--limit", "6"),
        ("store", "--limit", "5"),
    ):
        collection.run(*command)
    assert collection.status()["images"] == {
        "verified": 1,
        "stored": 5,
        "accepted": 0,
        "rejected": 0,
        "failed": 0,
    }

    people = {row["qid"] for row in collection.images() if row["status"] == "stored"}
    collection.run("clean", "--limit", "1")
    cleaned = {row["qid"] for row in collection.images() if row["status"] == "accepted"}
    assert (len(people), len(cleaned)) == (2, 1)

    assert len(collection.run("images", "--limit", "2").splitlines()) == 2
    assert len(collection.run("images", "--since", "2026-01-01").splitlines()) == 6
    assert collection.run("images", "--since", "2999-01-01") == ""
    process = collection.start("clean", "--follow", "--limit", "1", stderr=subprocess.PIPE)
    assert "do not go together" in process.communicate(timeout=30)[1].decode()
    assert process.returncode == 2
