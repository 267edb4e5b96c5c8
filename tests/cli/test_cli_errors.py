"""Wrong input of every kind: an exit code and two lines at most, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.cli_process import Run

CANDIDATE = {
    "schema": 1,
    "qid": "Q42",
    "name": "Douglas Adams",
    "url": "https://example.org/a.jpg",
    "source": "test",
}


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[run]\ntarget = 5\n", "run.target: unknown key"),
        ('[run]\ntarget_images = "many"\n', "run.target_images"),
        ("[run\n", "not valid TOML"),
    ],
)
def test_a_wrong_configuration_ends_with_2(run: Run, tmp_path: Path, text: str, said: str) -> None:
    """Unknown key, wrong type, broken TOML."""
    (tmp_path / "config.toml").write_text(text)

    done = run("status")

    assert done.returncode == 2
    assert said in done.stderr
    assert len(lines(done.stderr)) <= 2
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "nowhere.toml", "status"],
        ["run-all", "--sources", "bing"],
        ["run-all", "--sources", ","],
        ["run-all", "--limit", "0"],
        ["run-all", "--celebrities", "some"],
        ["images", "--status", "lost"],
        ["images", "--qid", "../../etc/passwd"],
        ["clean", "--dry-run", "--restore", "Q1/ab"],
        ["topics", "peek", "nosuchtopic"],
        ["topics", "publish", "nosuchtopic"],
        ["scrape-commons", "--qid", "Q42"],
        ["scrape-commons", "--name", "'; DROP TABLE people;--"],
        ["wikidata", "--born-after", "yesterday"],
        ["nosuchcommand"],
        ["--log-format", "xml", "status"],
    ],
)
def test_a_wrong_command_line_ends_with_2(run: Run, arguments: list[str]) -> None:
    """What cannot be asked for is told, with what can be."""
    done = run(*arguments)

    assert done.returncode == 2, done.stderr
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_dead_endpoint_ends_with_3(run: Run, dead_port: int) -> None:
    """Wikidata cannot be reached: told with the endpoint."""
    done = run(
        "wikidata",
        WIKIDATA__ENDPOINT=f"http://127.0.0.1:{dead_port}/sparql",
        WIKIDATA__MIN_INTERVAL_S="0",
    )

    assert done.returncode == 3
    assert str(dead_port) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_missing_token_ends_with_3_and_says_where_to_put_it(run: Run) -> None:
    """TMDB without a token is told before anything is sent."""
    done = run("scrape-tmdb")

    assert done.returncode == 3
    assert "CELEBCOLLECT_TMDB__TOKEN" in done.stderr


@pytest.mark.slow
def test_a_data_folder_that_cannot_be_made_is_told(run: Run, tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "data").write_text("in the way")

    done = run("topics", "publish", "urls", stdin=json.dumps(CANDIDATE).encode())

    assert done.returncode == 1
    assert "data" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_garbage_on_a_topic_lands_in_the_dead_letters(run: Run) -> None:
    """The bytes and the reason are kept; the good message beside it is passed on."""
    garbage = b"\xff\x00 garbage"
    garbage_and_good = garbage + b"\n" + json.dumps(CANDIDATE).encode() + b"\n"
    run("topics", "publish", "urls", "--raw", stdin=garbage_and_good)

    done = run("validate", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "stage": "validate",
        "counts": {"verified": 1},
        "reasons": {"undecodable": 1},
    }
    (letter,) = map(json.loads, lines(run("topics", "peek", "urls.dead", "--json").stdout))
    assert letter["value"]["topic"] == "urls"
    assert letter["value"]["offset"] == 0
    assert letter["value"]["error"]
    import base64

    assert base64.b64decode(letter["value"]["value_base64"]) == garbage
    (passed_on,) = map(json.loads, lines(run("topics", "peek", "urlsVerifie", "--json").stdout))
    assert (passed_on["key"], passed_on["value"]["url"]) == ("Q42", CANDIDATE["url"])


@pytest.mark.slow
def test_only_garbage_ends_with_4(run: Run) -> None:
    """There was work and nothing came of it; the next run has no work and ends with 0."""
    run("topics", "publish", "urls", "--raw", stdin=b"not json\n")

    first, second = run("validate"), run("validate")

    assert (first.returncode, second.returncode) == (4, 0)
    assert "undecodable" in first.stderr


@pytest.mark.slow
def test_dead_letters_are_delivered_again_once(run: Run) -> None:
    """`replay-dead` puts the original bytes back; what is still unreadable becomes a new letter."""
    run("topics", "publish", "urls", "--raw", stdin=b"not json\n")
    run("validate")

    done = run("topics", "replay-dead", "urls")
    again = run("topics", "replay-dead", "urls.dead")

    assert "replayed 1 " in done.stdout
    assert "replayed 0 " in again.stdout
    assert [
        json.loads(line).get("value_base64")
        for line in lines(run("topics", "peek", "urls", "--json").stdout)
    ] == ["bm90IGpzb24="] * 2


@pytest.mark.slow
def test_a_second_consumer_of_a_group_is_told_who_works(run: Run, tmp_path: Path) -> None:
    """The embedded log has one consumer per group: exit 3 and the process that has it."""
    import os

    from celebcollect.bus.sqlite.bus import EmbeddedBus

    run("topics", "create")
    bus = EmbeddedBus(tmp_path / "data" / "log")
    with bus.subscribe(["urls"], "validate"):
        done = run("validate")
    bus.close()

    assert done.returncode == 3
    assert str(os.getpid()) in done.stderr


@pytest.mark.slow
def test_init_never_overwrites(run: Run, tmp_path: Path) -> None:
    """A configuration that is there stays as it is."""
    assert run("init").returncode == 0
    (tmp_path / "config.toml").write_text("# mine\n")

    done = run("init")

    assert done.returncode == 2
    assert (tmp_path / "config.toml").read_text() == "# mine\n"


@pytest.mark.slow
def test_a_written_configuration_works(run: Run) -> None:
    """`init` writes what `status` reads."""
    run("init", "c.toml")

    done = run("--config", "c.toml", "status", "--json")

    assert done.returncode == 0
    assert json.loads(done.stdout)["log"] == "embedded"


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["images", "--limit"],
        ["topics", "peek", "urls", "-n"],
        ["clean", "--limit"],
        ["scrape-commons", "--limit"],
        ["run-all", "--celebrities", "known", "--sources", "commons", "--limit"],
    ],
)
def test_a_number_beyond_all_measure_means_all(run: Run, arguments: list[str]) -> None:
    """Whoever wants more than any database can count gets everything."""
    done = run(*arguments, str(10**30))

    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_quoted_in_an_error_moves_no_cursor(run: Run) -> None:
    """A message stays on its line and has nothing that a terminal obeys."""
    done = run("--config", "a\nb\x1b[2J\u202e.toml", "status")

    assert done.returncode == 2
    assert len(lines(done.stderr)) == 2
    assert done.stderr.replace("\n", "").isprintable()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc on this system")
def test_an_export_where_no_folder_can_be_made_is_told(run: Run) -> None:
    """A file system that takes no folders."""
    done = run("export", "/proc/export")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "/proc/export" in done.stderr


@pytest.mark.slow
def test_a_run_that_cannot_say_that_it_runs_is_told(run: Run, tmp_path: Path) -> None:
    """Something stands where `run-all` writes who it is."""
    (tmp_path / "data" / "run-all.json").mkdir(parents=True)

    done = run("run-all", "--celebrities", "known", "--sources", "commons")

    assert done.returncode == 1
    assert len(lines(done.stderr)) == 2


@pytest.mark.slow
def test_a_line_without_a_key_does_not_go_to_a_compacted_topic(run: Run) -> None:
    """That is a fault of the input, not of the log."""
    done = run("topics", "publish", "dataclean", stdin=b'{"qid": "Q42", "sha256": "0"}\ngarbage\n')

    assert done.returncode == 2
    assert "no qid" in done.stderr
    assert len(lines(done.stderr)) == 2
