"""`init` asks, or takes options, and writes a configuration that loads."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

import pytest

from celebcollect.configuration import config_model
from cli.cli_process import Run
from terminal import Terminal

pytestmark = pytest.mark.slow


def test_options_take_the_place_of_defaults(run: Run, tmp_path: Path) -> None:
    """Contact and folder; everything else is the default, with its comment."""
    done = run("init", "--contact", 'me "and" you <a@example.org>', "--data-dir", "some where/data")

    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "config.toml").read_text()
    config = config_model()(**tomllib.loads(text))
    assert config.http.contact == 'me "and" you <a@example.org>'
    assert config.data_dir == Path("some where/data")
    assert (
        config.model_copy(
            update={"http": config_model()().http, "data_dir": config_model()().data_dir}
        )
        == config_model()()
    )
    assert "# Mail address or URL put into the User-Agent" in text
    assert "celebcollect doctor" in done.stdout


def test_without_a_terminal_nothing_is_asked(run: Run, tmp_path: Path) -> None:
    """The defaults stay, and it is said what to set."""
    done = run("init", stdin=b"not@read.example\n")

    assert (
        config_model()(**tomllib.loads((tmp_path / "config.toml").read_text())) == config_model()()
    )
    assert "Set [http] contact" in done.stdout


def test_a_value_that_cannot_be_is_told_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    """A contact that no header can carry."""
    done = run("init", "--contact", "ich@müller.example")

    assert done.returncode == 2
    assert "http.contact" in done.stderr
    assert not (tmp_path / "config.toml").exists()


def test_a_token_is_written_only_where_that_is_asked_for(run: Run, tmp_path: Path) -> None:
    """Into a file that nobody else can read, and nowhere else."""
    plain = run("init", "plain.toml", TMDB__TOKEN="sesame-open")
    secret = run("init", "secret.toml", "--with-token", TMDB__TOKEN="sesame-open")
    nothing = run("init", "nothing.toml", "--with-token")

    assert "sesame" not in (tmp_path / "plain.toml").read_text()
    assert tomllib.loads((tmp_path / "secret.toml").read_text())["tmdb"]["token"] == "sesame-open"
    assert (tmp_path / "secret.toml").stat().st_mode & 0o777 == 0o600
    assert (nothing.returncode, (tmp_path / "nothing.toml").exists()) == (2, False)
    for done in (plain, secret, nothing):
        assert "sesame" not in done.stdout + done.stderr


@pytest.mark.parametrize("way", ["file", "link"])
def test_what_is_there_is_left_alone(run: Run, tmp_path: Path, way: str) -> None:
    """A file, and a link that leads nowhere yet."""
    if way == "file":
        (tmp_path / "config.toml").write_text("mine")
    else:
        (tmp_path / "config.toml").symlink_to("elsewhere.toml")

    done = run("init", "--contact", "me@example.org")

    assert done.returncode == 2
    assert "left alone" in done.stderr
    assert not (tmp_path / "elsewhere.toml").exists()
    assert way == "link" or (tmp_path / "config.toml").read_text() == "mine"


def test_on_a_terminal_it_asks_for_what_no_option_says(tmp_path: Path) -> None:
    """Enter takes the default."""
    file = tmp_path / "c.toml"
    shown = Terminal(
        [sys.executable, "-m", "celebcollect", "init", str(file)],
        columns=80,
        environment=os.environ,
        stdin_too=True,
    )
    try:
        shown.read_until("User-Agent")
        shown.type("me@example.org\n")
        shown.read_until(r"\[data\]")
        shown.type("\n")
        assert shown.end() == 0
    finally:
        shown.close()

    config = config_model()(**tomllib.loads(file.read_text()))
    assert (config.http.contact, config.data_dir) == ("me@example.org", Path("data"))
