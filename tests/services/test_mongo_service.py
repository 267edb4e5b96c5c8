"""The servers that tests start must not outlive them."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

START = """
import sys
from pathlib import Path
from services.mongo_service import MongoServer
server = MongoServer(sys.argv[1], Path(sys.argv[2])).start()
print(server.port, flush=True)
sys.stdin.read()
"""


@pytest.mark.mongo
@pytest.mark.parametrize("kind", ["java", "ferretdb"])
def test_a_server_ends_with_whoever_started_it(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the process of the tests is killed, its server is gone a moment later."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    with subprocess.Popen(
        [sys.executable, "-c", START, kind, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout is not None
        port = int(starter.stdout.readline())
        starter.kill()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)

    pytest.fail(f"the server on port {port} is still there")
