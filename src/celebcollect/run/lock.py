"""Let one `run-all` at a time work in a data folder, and tell others who it is."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from celebcollect.disk import owners
from celebcollect.disk.files import disk_errors, write_file
from celebcollect.disk.locks import locked
from celebcollect.domain.errors import Busy
from celebcollect.domain.records import now

LOCK, WHO = "run-all.lock", "run-all.json"


@dataclass(frozen=True)
class RunnerProcess:
    """The process that works in a data folder."""

    owner: str
    """See `owners.this_owner`."""
    pid: int
    host: str
    since: str
    """ISO 8601, UTC."""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since[:16].replace('T', ' ')} UTC"


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """
    Hold a data folder for one `run-all`; the lock ends with the process, however it ends.

    Raises:
        Busy: Another one is running.
        StorageError: The folder cannot be written.
    """
    with locked(folder / LOCK, busy=lambda: _busy(folder)):
        # The lock's own file cannot say who we are: whoever tries the lock empties it.
        runner = RunnerProcess(
            owners.this_owner(),
            os.getpid(),
            socket.gethostname(),
            now().isoformat(timespec="seconds"),
        )
        try:
            with disk_errors(
                "write", folder / WHO, hint="Check the disk and the rights on data_dir."
            ):
                write_file(folder / WHO, json.dumps(asdict(runner)).encode())
            yield
        finally:
            with suppress(OSError):  # nobody is taken for running who does not live
                (folder / WHO).unlink()


def _busy(folder: Path) -> Busy:
    who = _read(folder)
    return Busy(
        f"another run-all works in {folder}{f': {who}' if who else ''}",
        hint=(
            "Wait for it, or give this one a data_dir of its own. For cron, [run]"
            " busy_exit_code = 0 makes this no error."
        ),
    )


def who_runs(folder: Path) -> RunnerProcess | None:
    """Return the `run-all` that works in a data folder, as far as that can be known, or None."""
    who = _read(folder)
    return None if who is None or owners.is_dead(who.owner) else who


def _read(folder: Path) -> RunnerProcess | None:
    with suppress(OSError, ValueError, TypeError):
        return RunnerProcess(**json.loads((folder / WHO).read_text()))
    return None
