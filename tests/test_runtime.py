"""What the program changes about the Python process is changed back, however it ends."""

from __future__ import annotations

import gc
import logging
import os
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import typer

import celebcollect
from celebcollect import cli, runtime
from celebcollect.domain import cores

State = dict[str, object]


def state() -> State:
    """Everything that `runtime` changes, except malloc, which cannot be asked."""
    return {
        "gc": (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()),
        "switch interval": sys.getswitchinterval(),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "warnings": list(warnings.filters),
        "environment": dict(os.environ),
    }


def command_lines() -> list[list[str]]:
    """Each command with its arguments, if it takes any: the working directory."""
    group = typer.main.get_command(cli.app)
    found = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        for path in [[name, sub] for sub in getattr(command, "commands", {})] or [[name]]:
            leaf = getattr(command, "commands", {}).get(path[-1], command)
            takes = any(parameter.param_type_name == "argument" for parameter in leaf.params)
            found.append([*path, *(["."] if takes else [])])
    return found


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own, with no configuration but what the test writes; logging stays."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    handlers, level = list(logging.root.handlers), logging.root.level
    yield tmp_path
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["celebcollect", *arguments])
    with runtime.tuned():
        return cli.main()


@pytest.mark.parametrize("command", command_lines(), ids=" ".join)
def test_no_command_leaves_the_process_changed(
    command: list[str], in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configuration is broken, an error after the imports for all but those that read none."""
    (in_folder / "broken.toml").write_text("nobody_knows_this_key = 1\n")
    before = state()

    code = run(monkeypatch, "--config", "broken.toml", *command)

    assert code == (0 if command == ["models", "list"] else 2)
    assert state() == before


@pytest.mark.parametrize(
    "command",
    ["--help", "init", "status --json", "images", "topics create", "validate", "store", "clean"],
)
def test_a_command_that_ends_well_leaves_the_process_as_it_was(
    command: str, in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing to do, so that each one is through at once."""
    before = state()

    code = run(monkeypatch, *command.split())

    assert code == 0
    assert state() == before


def test_what_is_tuned_and_how_a_command_works_in_it() -> None:
    """While modules load, Ctrl-C ends at once and no cycles are looked for; a command does both."""
    before = state()
    with runtime.tuned():
        loading = state()
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        assert not gc.isenabled()
        with runtime.working():
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
            assert gc.isenabled()
            assert gc.get_freeze_count() > 0
        assert state() == loading

    assert loading["switch interval"] != before["switch interval"]
    assert loading["warnings"] != before["warnings"]
    assert state() == before


def test_an_error_in_nested_blocks_restores_everything() -> None:
    """A program in a program: each leaves what it found."""

    def fail() -> None:
        with runtime.tuned(), runtime.working():
            raise ZeroDivisionError

    before = state()
    with runtime.tuned(), runtime.working():
        between = state()
        with pytest.raises(ZeroDivisionError):
            fail()
        assert state() == between

    assert state() == before


def test_a_handler_of_others_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever ignores Ctrl-C, as nohup makes its children do, goes on ignoring it."""
    old = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with runtime.tuned(), runtime.working():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, old)


def test_beside_the_main_thread_signals_are_left_alone() -> None:
    """Python allows it to nobody else."""

    def work() -> State:
        with runtime.tuned(), runtime.working():
            return state()

    before = state()
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(work).result()

    assert seen["signals"] == before["signals"]
    assert state() == before


def test_variables_of_the_user_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A default is only for what is not set, and goes with the block."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    monkeypatch.delenv("NOT_SET_BY_ANYBODY", raising=False)
    with runtime.environment(OPENBLAS_NUM_THREADS="1", NOT_SET_BY_ANYBODY="1"):
        assert os.environ["OPENBLAS_NUM_THREADS"] == "3"
        assert os.environ["NOT_SET_BY_ANYBODY"] == "1"

    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"
    assert "NOT_SET_BY_ANYBODY" not in os.environ


SIGNAL_AT = """
import atexit, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test may run in the background
def interrupt():
    signal.raise_signal(signal.SIGINT)
    for _ in range(100_000):
        pass  # the handler runs between two steps of Python
module, when = sys.argv[1:]
class AtImport:
    def find_spec(self, name, path, target=None):
        if name == module:
            interrupt()
sys.meta_path.insert(0, AtImport())
if when == "end":
    atexit.register(interrupt)
from celebcollect.__main__ import main
sys.argv[1:] = ["--version"]
main()
"""


@pytest.mark.parametrize(("module", "when"), [("typer", "import"), ("", "end")])
def test_ctrl_c_before_and_after_the_work_shows_no_traceback(module: str, when: str) -> None:
    """In the middle of an import, and while the interpreter ends: nothing but the exit code."""
    done = subprocess.run(
        [sys.executable, "-c", SIGNAL_AT, module, when], capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 130
    assert done.stderr == ""


def test_only_this_module_turns_the_knobs_of_the_process() -> None:
    """A knob that is turned elsewhere is turned back by nobody."""
    knobs = re.compile(
        r"^\s*import (gc|ctypes)\b|setswitchinterval|(?<!catch_)\bwarnings\.filterwarnings"
        r"|os\.environ(\[[^]]+\] =|\.setdefault)",
        re.MULTILINE,
    )
    package = Path(celebcollect.__file__).parent
    found = [
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if knobs.search(file.read_text(encoding="utf-8"))
    ]

    assert found == ["runtime.py"]


def test_cores_are_counted_where_nobody_tells_which_may_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on macOS and Windows, which have no `sched_getaffinity`; only one place asks for it."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    source = Path(cores.__file__).parents[1]

    assert cores.available_cores() == 3
    assert [
        file.name for file in source.rglob("*.py") if "sched_getaffinity" in file.read_text("utf-8")
    ] == ["cores.py"]
