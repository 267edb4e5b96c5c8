"""Help is instant, whole, and shows every command with an example."""

from __future__ import annotations

import json
import os
import re
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from celebcollect.cli import app

HEAVY = (
    "selenium",
    "confluent_kafka",
    "mongoengine",
    "numpy",
    "PIL",
    "SPARQLWrapper",
    "httpx",
    "pydantic",
    "pycurl",
    "w3lib",
)


def commands() -> list[list[str]]:
    group = typer.main.get_command(app)
    names = [[name] for name in group.commands]  # type: ignore[attr-defined]
    of_topics = group.commands["topics"].commands  # type: ignore[attr-defined]
    return [[], *names, *(["topics", name] for name in of_topics)]


def cpu_s(command: list[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_imports_nothing_heavy() -> None:
    """What a command needs is imported inside it, logging and JSON too."""
    code = (
        "import sys\nfrom celebcollect.cli import app\ntry:\n    app(['--help'])\nexcept"
        f" SystemExit:\n    pass\nprint([name for name in {(*HEAVY, 'json', 'logging')!r} if name"
        " in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "run-all" in done.stdout
    assert done.stderr.strip() == "[]"


@pytest.mark.slow
def test_a_worker_imports_no_library_of_the_sources() -> None:
    """`store` runs in many processes, and each start pays for what it imports."""
    code = (
        "import json, sys\nimport celebcollect.app, celebcollect.stages.store.stage\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == ["numpy", "PIL", "pydantic", "pycurl", "w3lib"]


@pytest.mark.slow
def test_looking_imports_no_library_of_the_work(tmp_path: Path) -> None:
    """`status` reads the configuration, the log and the catalogue, and nothing else."""
    code = (
        "import json, sys\nfrom celebcollect.cli import app\n"
        "app(['status', '--json'], standalone_mode=False)\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert json.loads(done.stdout.splitlines()[-1]) == ["pydantic"]


@pytest.mark.slow
def test_init_imports_no_library_of_the_faces(tmp_path: Path) -> None:
    """It tells of a better face engine, and needs none for that."""
    code = (
        "import json, sys\nfrom celebcollect.cli import app\n"
        "app(['init'], standalone_mode=False)\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert json.loads(done.stdout.splitlines()[-1]) == ["pydantic"]


@pytest.mark.slow
def test_help_costs_at_most_half_more_than_its_libraries(tmp_path: Path) -> None:
    """
    CPU time against `import typer, rich`, in turn on the same machine.

    Both have been compiled, as installers do it; a checkout may not be.
    """
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    ours, base = (
        [sys.executable, "-m", "celebcollect", "--help"],
        [sys.executable, "-c", "import typer, rich"],
    )
    pairs = [(cpu_s(ours, environment), cpu_s(base, environment)) for _ in range(15)]

    ratio = statistics.median(our for our, _ in pairs) / statistics.median(
        their for _, their in pairs
    )

    assert ratio <= 1.5, f"{ratio:.2f}"


@pytest.mark.parametrize("command", commands(), ids=lambda command: " ".join(command) or "none")
def test_every_command_says_what_it_does_and_gives_an_example(command: list[str]) -> None:
    """A sentence that ends, and a line that can be typed."""
    result = CliRunner().invoke(app, [*command, "--help"])

    assert result.exit_code == 0
    assert "Example:" in result.output
    first = [line.strip() for line in result.output.split("\n\n")[1].splitlines()]
    assert re.fullmatch(r"[A-Z][^.]* .*\.", " ".join(first)), "the first sentence stands alone"
    assert f"celebcollect {' '.join(command)}" in " ".join(result.output.split())
