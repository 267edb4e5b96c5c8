"""One broker for all processes of a run of the tests.

One that waits for work takes 4 % of a core, and each takes seconds to start.
It belongs to a process of its own, which ends it when nobody uses it any more: users hold a lock,
which the kernel takes from whoever ends, in whatever way.

    python -m services.kafka_keeper FOLDER
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from services.kafka_broker import START_S, jars, kafka


@dataclass(frozen=True)
class Broker:
    """Where the broker is; every test takes topics and groups of its own."""

    bootstrap: str
    """As `bootstrap_servers` wants it."""
    sasl: str
    """The port that wants a name and a password, with its host."""


@contextlib.contextmanager
def shared_broker(folder: Path) -> Iterator[Broker]:
    """Use the broker of this folder, which is started for its first user."""
    jars()  # here, where what is missing skips or fails the test
    folder.mkdir(exist_ok=True)
    with (folder / "users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with FileLock(folder / "starting"):
            if not _address(folder).exists():
                with (folder / "keeper.log").open("ab") as log:
                    keeper = subprocess.Popen(
                        [sys.executable, "-m", "services.kafka_keeper", str(folder)],
                        cwd=Path(__file__).parents[1],
                        stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    )  # fmt: skip
                deadline = time.monotonic() + 2 * START_S
                while not _address(folder).exists():
                    alive = keeper.poll() is None
                    assert alive, (folder / "keeper.log").read_text(errors="replace")[-3000:]
                    assert time.monotonic() < deadline, "the broker does not start"
                    time.sleep(0.1)
        yield Broker(**json.loads(_address(folder).read_text()))


def _address(folder: Path) -> Path:
    return folder / "address.json"


def main(folder: Path) -> None:
    """Run the broker for as long as it has users."""
    with (folder / "users").open("a") as users, kafka() as servers:
        new = folder / "address.new"
        new.write_text(json.dumps(asdict(Broker(servers.bootstrap, servers.sasl))))
        new.rename(_address(folder))
        try:
            while True:
                time.sleep(1)
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
        finally:
            # Whoever comes now waits for the lock, and starts a new one.
            _address(folder).unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
