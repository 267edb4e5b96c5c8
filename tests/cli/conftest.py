"""Run the installed program in a process of its own, as users and cron do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.cli_process import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Call `celebcollect` in a folder of its own; `settings` are overrides by SECTION__KEY."""

    def call(
        *arguments: str, stdin: bytes | None = None, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("CELEBCOLLECT_")
        }
        environment |= {f"CELEBCOLLECT_{name}": value for name, value in settings.items()}
        environment["XDG_CONFIG_HOME"] = str(tmp_path / "no-config-here")
        done = subprocess.run(
            [sys.executable, "-m", "celebcollect", *arguments],
            cwd=tmp_path,
            env=environment,
            input=stdin or b"",
            capture_output=True,
            timeout=120,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return call
