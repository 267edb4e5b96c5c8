"""Ctrl-C and SIGTERM while a service does not answer: the program ends in time all the same."""

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

from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.cli.signals import GRACE_S
from celebcollect.domain.records import Celebrity

pytestmark = pytest.mark.slow


@pytest.fixture
def mute() -> Iterator[socket.socket]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        server.settimeout(60)
        yield server


def start(folder: Path, server: socket.socket, *arguments: str) -> subprocess.Popen[bytes]:
    base = f"http://127.0.0.1:{server.getsockname()[1]}"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CELEBCOLLECT_")
    }
    environment |= {
        "CELEBCOLLECT_WIKIDATA__ENDPOINT": f"{base}/sparql",
        "CELEBCOLLECT_COMMONS__API_URL": f"{base}/w/api.php",
    }
    # A parent that ignores Ctrl-C, as a shell's background job does, would be respected.
    heed = (
        "import signal, runpy; signal.signal(signal.SIGINT, signal.default_int_handler);"
        " runpy.run_module('celebcollect', run_name='__main__')"
    )
    return subprocess.Popen(
        [sys.executable, "-c", heed, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_question_without_an_answer_does_not_keep_the_program(
    tmp_path: Path, mute: socket.socket
) -> None:
    """Asked once to end, it ends before Docker would kill it, though the endpoint has minutes."""
    process = start(tmp_path, mute, "wikidata")
    with mute.accept()[0]:
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        _, error = process.communicate(timeout=60)

    assert process.returncode == 130, error
    assert GRACE_S / 2 < time.monotonic() - begun < GRACE_S + 5
    assert "interrupted" in error.decode()
    assert "Traceback" not in error.decode()


def test_a_second_ctrl_c_ends_threads_too(tmp_path: Path, mute: socket.socket) -> None:
    """What `run-all` does in threads keeps nobody who asks twice."""
    (tmp_path / "data").mkdir()
    catalogue = EmbeddedCatalogue(tmp_path / "data" / "catalogue.sqlite3")
    catalogue.save_people(
        [Celebrity(qid="Q42", name="Douglas Adams", commons_category="Douglas Adams")]
    )
    catalogue.close()
    process = start(tmp_path, mute, "run-all", "--celebrities", "known", "--sources", "commons")
    with mute.accept()[0]:
        begun = time.monotonic()
        while process.poll() is None and time.monotonic() < begun + 60:
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        _, error = process.communicate(timeout=60)

    assert process.returncode == 130, error
    assert time.monotonic() - begun < GRACE_S - 1
    assert "Traceback" not in error.decode()
