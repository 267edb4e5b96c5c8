"""`run-all` where the extra `faces` is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from celebcollect.cli.explain import explain

pytestmark = pytest.mark.slow

WITHOUT = """
import celebcollect.vision.dlib_package as package
package.PACKAGES = ("no_such_package",)
from celebcollect.__main__ import main
main()
"""


def run_without(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if "CELEBCOLLECT" not in key}
    environment |= {f"CELEBCOLLECT_{key}": value for key, value in settings.items()}
    environment["XDG_DATA_HOME"] = environment["XDG_CONFIG_HOME"] = str(folder / "none")
    options = ("run-all", "--celebrities", "known", "--sources", "commons")
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments, *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_it_is_said_at_the_start_and_once(tmp_path: Path) -> None:
    """Before anything is searched, with what to do; `-q` keeps it to itself, for cron."""
    loud = run_without(tmp_path)
    quiet = run_without(tmp_path, "-q")

    told = [line for line in loud.stderr.splitlines() if "celebcollect[faces]" in line]
    assert loud.returncode == 0, loud.stderr
    assert len(told) == 1
    assert "wrong people" in told[0]
    assert loud.stderr.splitlines()[0] == told[0]
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_who_requires_faces_is_told_before_the_work(tmp_path: Path) -> None:
    """Not after hours of downloads."""
    done = run_without(tmp_path, CLEAN__FACES="required")

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2
    assert "celebcollect[faces]" in done.stderr


def test_the_file_of_own_models_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Every key that it may have, for those who have no copy of the documentation."""
    explain("engine.toml")

    told = capsys.readouterr().out
    for key in ("detector (needed)", "embedder (needed)", "identity_distance (else 1.1)"):
        assert key in told
