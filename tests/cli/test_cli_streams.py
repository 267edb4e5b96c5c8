"""Standard streams that are closed, full or of a poor encoding: never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.cli_process import Run

pytestmark = pytest.mark.slow

HALF_A_PAIR = b'{"schema":1,"qid":"Q1","name":"\\ud800","url":"http://x/","source":"a"}\n'
ACCENT = (
    '{"schema":1,"qid":"Q2","name":"Beyonc\u00e9 \u00b7 \u82b1","url":"http://x/2","source":"a"}\n'
).encode()
PROGRAM = f"{sys.executable} -m celebcollect"


def shell(line: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith("CELEBCOLLECT_")
        },
        **more,
    }
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
    )


def test_half_a_surrogate_pair_is_escaped_and_loses_nothing_after_it(run: Run) -> None:
    """JSON can carry what no encoding can: it is printed as it came, and so is the next message."""
    run("topics", "publish", "urls", "--raw", stdin=HALF_A_PAIR + ACCENT)

    done = run("topics", "peek", "urls", "--json")

    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["value"]["name"], second["value"]["name"]) == (
        "\ud800",
        "Beyonc\u00e9 \u00b7 \u82b1",
    )
    assert "Beyonc\u00e9" in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_poor_encoding_says_the_same_with_escapes(
    run: Run, tmp_path: Path, encoding: str
) -> None:
    """JSON stays JSON, text and tables come out without what the encoding lacks."""
    run("topics", "publish", "urls", stdin=ACCENT)

    peeked = shell(f"{PROGRAM} topics peek urls --json", tmp_path, PYTHONIOENCODING=encoding)
    others = [
        shell(f"{PROGRAM} {what}", tmp_path, PYTHONIOENCODING=encoding)
        for what in ("topics peek urls", "status")
    ]

    assert json.loads(peeked.stdout)["value"] == json.loads(ACCENT)
    assert peeked.stdout.isascii()
    assert [done.returncode for done in others] == [0, 0]
    assert "".join(done.stderr for done in others) == ""


@pytest.mark.parametrize("redirection", ["> /dev/full", ">&-"])
@pytest.mark.parametrize("command", ["status --json", "topics list", "--version"])
def test_output_that_cannot_be_written_ends_with_1(
    tmp_path: Path, command: str, redirection: str
) -> None:
    """A full disk and a closed stdout are told in a line."""
    done = shell(f"{PROGRAM} {command} {redirection}", tmp_path)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("celebcollect: cannot ")


def test_a_closed_stdin_ends_with_1(tmp_path: Path) -> None:
    """Nothing to read is something else than nothing written."""
    done = shell(f"{PROGRAM} topics publish urls <&-", tmp_path)

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "celebcollect: cannot read stdin or write stdout: it is closed"
    ]


@pytest.mark.parametrize("command", ["status", "topics peek urls --json -n 5000", "--help"])
def test_a_reader_that_goes_away_is_no_error(run: Run, tmp_path: Path, command: str) -> None:
    """`| head` ends every command with 0 and silence, however much was still to come."""
    run("topics", "publish", "urls", stdin=ACCENT * 5000)

    done = shell(f"{PROGRAM} {command} | true; exit ${{PIPESTATUS[0]}}", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_while_modules_are_loaded_is_no_traceback(tmp_path: Path) -> None:
    """The signal comes in the middle of an import: 130 and silence."""
    code = (
        "import os, signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)  # also"
        " where the tests run in the background, which ignores it\nfrom celebcollect.__main__"
        " import main\nmodule, sys.argv = sys.argv[1], ['celebcollect', 'status']\nclass"
        " Interrupt:\n    def find_spec(name, path, target=None):\n        if name == module:\n    "
        "        os.kill(os.getpid(), signal.SIGINT)\nsys.meta_path.insert(0, Interrupt)\nmain()\n"
    )
    for module in ("typer", "pydantic"):
        done = subprocess.run(
            [sys.executable, "-c", code, module],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
        )

        assert (done.returncode, done.stderr) == (128 + signal.SIGINT, ""), module
