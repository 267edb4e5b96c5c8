"""The lines of the crontab in docs/deploy.md send no mail where there is nothing to tell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.run.lock import run_lock
from cli.cli_process import Run

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
