"""The program as a process beside a Kafka that goes away.

It waits, and yet ends when it is told to.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.kafka_broker import Kafka, kafka


@pytest.fixture
def mortal() -> Iterator[Kafka]:
    """One broker of the test's own, to be killed for good."""
    with kafka() as servers:
        yield servers


def start(folder: Path, servers: str, *arguments: str) -> subprocess.Popen[str]:
    (folder / "config.toml").write_text(
        f'data_dir = "{folder / "data"}"\n[kafka]\nbootstrap_servers ='
        f' "{servers}"\nclient.session.timeout.ms = 2000\n'
    )
    command = [
        sys.executable,
        "-m",
        "celebcollect",
        "--config",
        str(folder / "config.toml"),
        "-v",
        *arguments,
    ]
    return subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def stopped(process: subprocess.Popen[str], number: signal.Signals) -> tuple[str, float]:
    """Send a signal; return the last lines of stderr and how long the end took."""
    begin = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    return errors, time.monotonic() - begin


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)], ids=["supervisor", "ctrl-c"]
)
def test_a_worker_that_waits_for_kafka_can_be_stopped(
    mortal: Kafka, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """
    A stage that follows its topics says that it waits.

    It ends soon after the signal, without a traceback.
    """
    worker = start(tmp_path, mortal.bootstrap, "validate", "--follow")
    assert worker.stderr is not None
    lines = iter(worker.stderr.readline, "")
    assert any("assigned group=" in line for line in lines)
    mortal.kill()
    assert any("waiting for Kafka" in line for line in lines)

    errors, took_s = stopped(worker, number)

    assert worker.returncode == code
    assert "Traceback" not in errors
    assert "Kafka is back" not in errors
    assert took_s < 15


@pytest.mark.slow
def test_a_start_without_kafka_can_be_stopped(tmp_path: Path) -> None:
    """Ctrl-C does not wait for the end of timeout_s."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        worker = start(tmp_path, f"127.0.0.1:{silent.getsockname()[1]}", "validate")
        silent.settimeout(20)
        silent.accept()[0].close()
        errors, took_s = stopped(worker, signal.SIGINT)

    assert worker.returncode == 130
    assert "Traceback" not in errors
    assert took_s < 5
