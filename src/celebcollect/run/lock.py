"""Let one `run-all` at a time work in a data folder, and tell others who it is."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from celebcollect.disk import owners
from celebcollect.domain.errors import Busy, StorageError
from celebcollect.domain.records import now

LOCK, WHO = "run-all.lock", "run-all.json"


@dataclass(frozen=True)
class Runner:
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
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        who = _read(folder)
        raise Busy(
            f"another run-all works in {folder}{f': {who}' if who else ''}",
            hint=(
                "Wait for it, or give this one a data_dir of its own. For cron, [run]"
                " busy_exit_code = 0 makes this no error."
            ),
        ) from None
    except OSError as error:
        raise StorageError(
            f"cannot lock {folder / LOCK}: {error.strerror}", hint="Check the rights on data_dir."
        ) from error
    try:
        # The lock's own file cannot say who we are: whoever tries the lock empties it.
        runner = Runner(
            owners.this_owner(),
            os.getpid(),
            socket.gethostname(),
            now().isoformat(timespec="seconds"),
        )
        try:
            (folder / WHO).write_text(json.dumps(asdict(runner)))
        except OSError as error:
            raise StorageError(
                f"cannot write {folder / WHO}: {error.strerror}",
                hint="Check the disk and the rights on data_dir.",
            ) from error
        yield
    finally:
        with suppress(OSError):  # nobody is taken for running who does not live
            (folder / WHO).unlink()
        lock.release()


def who_runs(folder: Path) -> Runner | None:
    """Return the `run-all` that works in a data folder, as far as that can be known; None when there is none."""
    who = _read(folder)
    return None if who is None or owners.is_dead(who.owner) else who


def _read(folder: Path) -> Runner | None:
    with suppress(OSError, ValueError, TypeError):
        return Runner(**json.loads((folder / WHO).read_text()))
    return None
