"""The lines of the crontab in docs/deploy.md send no mail where there is nothing to tell."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.demo.web import SmallWeb
from celebcollect.run.lock import run_lock
from cli.cli_process import Run
from local_web import Collection

pytestmark = pytest.mark.slow

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy.md"


def crontab() -> list[str]:
    """Return the lines between the fences."""
    return DEPLOY.read_text().split("```cron\n")[1].split("```")[0].splitlines()


def test_the_table_finds_the_program_of_pipx_and_is_quiet_when_busy() -> None:
    """The PATH of cron itself is /usr/bin:/bin."""
    table = crontab()

    assert any(line.startswith("PATH=") and "/.local/bin" in line for line in table)
    assert "CELEBCOLLECT_RUN__BUSY_EXIT_CODE=0" in table


@pytest.mark.parametrize("stage", ["validate", "store"])
def test_a_stage_that_finds_another_at_work_is_as_quiet_as_run_all(
    run: Run, tmp_path: Path, stage: str
) -> None:
    """With `busy_exit_code` 3 it says who is at work, with 0 it says nothing."""
    line = next(line for line in crontab() if f"-q {stage}" in line)
    found = re.search(rf"-q {stage}( --limit \d+)?", line)
    assert found
    arguments = found[0].split()
    run("topics", "create")
    bus = EmbeddedBus(tmp_path / "data" / "log")
    with bus.subscribe(["urls" if stage == "validate" else "urlsVerifie"], stage):
        loud = run(*arguments)
        quiet = run(*arguments, RUN__BUSY_EXIT_CODE="0")
    bus.close()

    assert (loud.returncode, len(loud.stderr.splitlines())) == (3, 2)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_run_all_beside_another_one_is_quiet(run: Run, tmp_path: Path) -> None:
    """As before, where the configuration says so."""
    run("topics", "create")
    options = ("--celebrities", "known", "--sources", "commons")
    with run_lock(tmp_path / "data"):
        done = run("-q", "run-all", *options, RUN__BUSY_EXIT_CODE="0")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class Cron:
    """
    Runs the lines of a table as cron does: by `sh`, with next to nothing in the environment.

    `%` is the end of a command, unless it is escaped (crontab(5)). The user, the folder and the
    user's programs are ours.
    """

    def __init__(self, home: Path, folder: Path, **settings: str) -> None:
        programs = home / ".local" / "bin"
        programs.mkdir(parents=True)
        program = programs / "celebcollect"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m celebcollect "$@"\n')
        program.chmod(0o755)
        self._folder = folder
        self._environment = {"HOME": str(home), "LOGNAME": "celeb", "SHELL": "/bin/sh", **settings}
        self.commands: list[str] = []
        for line in crontab():
            name, is_setting, value = line.partition("=")
            if is_setting and re.fullmatch(r"[A-Z_]+", name):
                self._environment[name] = value.replace("/home/celeb", str(home))
            elif line and not line.startswith("#"):
                *_, user, command = line.split(maxsplit=6)
                assert user == "celeb"
                self.commands.append(command)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command; what it writes is what the mail would be."""
        shell, *_ = re.split(r"(?<!\\)%", command)
        text = shell.replace("\\%", "%").replace("/srv/celebcollect", str(self._folder))
        return subprocess.run(
            ["/bin/sh", "-c", text],
            cwd=self._environment["HOME"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
        )


def test_every_line_of_the_table_does_its_work_and_sends_one_line_at_most(tmp_path: Path) -> None:
    """
    From the first night on an empty folder to one with nothing left to do.

    `run-all` tells what it did in exactly one line, and nothing the second time.
    """
    with SmallWeb() as web:
        collection = Collection(tmp_path / "collection", web)
        cron = Cron(
            tmp_path / "home",
            collection.folder,
            CELEBCOLLECT_GOOGLE__BROWSER=str(tmp_path / "no-browser"),
        )
        first = {command: cron.run(command) for command in cron.commands}
        second = {command: cron.run(command) for command in cron.commands}

    assert len(first) == 5
    for command, done in (*first.items(), *second.items()):
        assert (done.returncode, done.stderr) == (0, ""), command
        assert len(done.stdout.splitlines()) <= 1, command
    (run_all,) = (command for command in cron.commands if "run-all" in command)
    assert len(first[run_all].stdout.splitlines()) == 1
    assert first[run_all].stdout.startswith("run-all: ")
    assert second[run_all].stdout == ""
    (listed,) = collection.folder.glob("new-*.jsonl")
    rows = [json.loads(line) for line in listed.read_text().splitlines()]
    assert {row["status"] for row in rows} >= {"accepted", "rejected"}
