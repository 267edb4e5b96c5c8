"""`--log-format json`: every line on stderr is an object, and fields are fields."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from celebcollect.cli import json_lines
from celebcollect.cli.log import JsonFormatter
from cli.cli_process import Run
from support import eventually

pytestmark = pytest.mark.slow


def record(message: object, *arguments: object) -> dict[str, object]:
    """Return what a log call becomes."""
    made = logging.makeLogRecord(
        {"msg": message, "args": arguments, "levelname": "INFO", "name": "a"}
    )
    line: dict[str, object] = json.loads(JsonFormatter().format(made))
    return line


def test_pairs_of_a_message_are_fields() -> None:
    """Values keep what they are, the sentence keeps the rest."""
    line = record("failed reason=%s n=%d url=%r in %s for %.3s%%", "x", 3, "a b", "here", "abcd")

    assert line["message"] == "failed in here for abc%"
    assert (line["reason"], line["n"], line["url"]) == ("x", 3, "a b")


@pytest.mark.parametrize(
    ("message", "arguments", "said"),
    [
        ("plain", (), "plain"),
        ("100%", (), "100%"),
        ("time=%s", ("now",), ""),
        ("wide %*d", (5, 3), "wide     3"),
        (ValueError("odd"), (), "odd"),
    ],
)
def test_every_message_is_told(message: object, arguments: tuple[object, ...], said: str) -> None:
    """Whatever form it has, and a field does not take the place of one of ours."""
    line = record(message, *arguments)

    assert line["message"] == said
    assert str(line["time"]).startswith("20")


def test_what_others_write_is_wrapped_line_by_line() -> None:
    """Objects pass as they are; the beginning of a line waits for its end."""
    behind = io.StringIO()
    stream = json_lines.JsonLines(behind)

    for piece in ('{"a": 1}\n', "celebcollect: one", " line\n\n", "[1]\ntail"):
        stream.write(piece)

    first, *others = map(json.loads, behind.getvalue().splitlines())
    assert first == {"a": 1}
    assert [line["message"] for line in others] == ["one line", "[1]"]


@pytest.mark.parametrize(
    "arguments", [("nosuch",), (), ("status", "--nosuch"), ("topics", "peek", "nosuch")]
)
def test_the_last_error_is_an_object_too(run: Run, arguments: tuple[str, ...]) -> None:
    """With its hint and exit code as fields."""
    done = run("--log-format", "json", *arguments)

    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 2
    assert (told[-1]["level"], told[-1]["exit_code"]) == ("error", 2)
    assert told[-1]["hint"]


def test_tracebacks_and_warnings_are_objects(tmp_path: Path) -> None:
    """One of the main thread, one of another, and what a library warns of."""
    program = (
        "import threading, warnings; from celebcollect.cli import json_lines; json_lines.start();"
        "warnings.warn('old'); thread = threading.Thread(target=lambda: 1 / 0);"
        "thread.start(); thread.join(); raise KeyError('odd')"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False
    )

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert "old" in lines[0]["message"]
    assert [line.get("exception") for line in lines[1:]] == ["ZeroDivisionError", "KeyError"]
    assert all("Traceback" in line["traceback"] for line in lines[1:])


def test_lines_of_librdkafka_are_objects(run: Run) -> None:
    """It writes from C and from threads of its own; here to a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{port}",
        "KAFKA__TIMEOUT_S": "2",
        "KAFKA__CLIENT": '{"debug": "broker"}',
    }

    done = run("-v", "--log-format", "json", "topics", "list", **settings)

    told = [json.loads(line) for line in done.stderr.splitlines()]
    theirs = [line for line in told if "Connect to ipv4#127.0.0.1" in str(line["message"])]
    assert done.returncode == 3, done.stderr
    assert theirs
    assert (told[-1]["level"], told[-1]["exit_code"]) == ("error", 3)
    assert not done.stdout


@pytest.mark.parametrize("command", [("store", "--follow"), ("validate", "--follow")], ids=" ".join)
def test_ctrl_c_is_an_object_too(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Whoever stops a worker finds no line in the log that is none; the code is a field."""
    # A parent that ignores Ctrl-C, as a shell's background job does, would be respected.
    heed = (
        "import signal, runpy; signal.signal(signal.SIGINT, signal.default_int_handler);"
        " runpy.run_module('celebcollect', run_name='__main__')"
    )
    environment = {key: value for key, value in os.environ.items() if "CELEBCOLLECT" not in key}
    with subprocess.Popen(
        [sys.executable, "-c", heed, "-v", "--log-format", "json", *command],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert eventually(lambda: (tmp_path / "data" / "log").exists(), 60)
        assert process.stderr
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)

    told = [json.loads(line) for line in error.splitlines()]
    assert process.returncode == 130, error
    assert told
    assert all(isinstance(line, dict) and line["level"] for line in told)
    assert told[-1]["exit_code"] == 130
