"""A folder for one browser.

It is gone with all the browser's processes when it is closed, or when we are killed.
"""

from __future__ import annotations

import logging
import secrets
import subprocess
import sys
from pathlib import Path

from celebcollect.disk.files import disk_errors
from celebcollect.disk.locks import ProcessLock
from celebcollect.sources.google import guardian

log = logging.getLogger(__name__)


class BrowserProfile:
    """
    A new folder, locked as long as this process lives.

    Everything that is started with a path in it belongs to it.

    Raises:
        StorageError: The folder cannot be made.
    """

    def __init__(self, parent: Path) -> None:
        name = secrets.token_hex(8)
        self.path = parent.absolute() / name
        with disk_errors("make a folder for the browser in", parent):
            parent.mkdir(parents=True, exist_ok=True)
            _sweep(parent.absolute())
            self._lock = _lock(self.path)
            self._lock.take()  # nobody else knows the new name
            self.path.mkdir(mode=0o700)
            self._guardian = _start_guardian(self.path)

    def close(self) -> None:
        """End the processes that work in the folder, and remove it."""
        left = guardian.end_processes(self.path)
        if left:
            log.info("ended processes that a browser left behind n=%d", left)
        guardian.remove(self.path)
        if self._guardian.stdin:
            self._guardian.stdin.close()
        self._guardian.wait()
        _unlock(self._lock)


def _sweep(parent: Path) -> None:
    """Clean up behind processes that died together with their guardians: their locks are free."""
    for folder in [entry for entry in parent.iterdir() if entry.is_dir()]:
        lock = _lock(folder)
        if not lock.take():
            continue  # in use
        guardian.end_processes(folder)
        guardian.remove(folder)
        _unlock(lock)


def _lock(folder: Path) -> ProcessLock:
    return ProcessLock(folder.with_name(f"{folder.name}.lock"))


def _unlock(lock: ProcessLock) -> None:
    # Removed while it is held, so that nobody locks a file that is about to go.
    lock.file.unlink(missing_ok=True)
    lock.release()


def _start_guardian(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, "-I", "-S", guardian.__file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us alone
    )
