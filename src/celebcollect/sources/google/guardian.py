"""End every process that works in a folder, and remove the folder (with its lock).

As a program it does so when its parent dies.

A browser outlives its driver, and both outlive a Python that is killed with -9. So each browser
works in a folder of its own, all its processes carry that folder in their command lines, and beside
them runs this file as a small process that waits for its standard input to end - which the kernel
does for whatever reason the parent ended.

Uses the standard library only: it is run as a file, without the package. Finds processes on Linux
(/proc) and where there is `ps`; on Windows it only removes the folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE_S = 5.0
"""How long processes that were killed may take to go away."""


def processes_in(folder: Path) -> list[int]:
    """Return this user's other processes that were started with `--...=<folder>...`."""
    mark = f"={folder}"
    found = _from_proc(mark) if Path("/proc/self/cmdline").exists() else _from_ps(mark)
    return [pid for pid in found if pid != os.getpid()]


def end_processes(folder: Path) -> int:
    """
    Kill every process that works in the folder and wait until all are gone.

    Return how many there were.
    """
    ended: set[int] = set()
    give_up = time.monotonic() + PATIENCE_S
    while (pids := processes_in(folder)) and time.monotonic() < give_up:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
                ended.add(pid)
            except ProcessLookupError:
                pass
            except PermissionError:
                return len(ended)
        time.sleep(0.02)  # processes of others have no event to wait for
    return len(ended)


def remove(folder: Path) -> None:
    """Remove the folder and all that is in it, also when something is just being written there."""
    give_up = time.monotonic() + PATIENCE_S
    while folder.exists() and time.monotonic() < give_up:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            time.sleep(0.02)


def _from_proc(mark: str) -> list[int]:
    pids = []
    wanted = os.fsencode(mark)
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                # Not split into arguments: Chromium rewrites the command lines of its children.
                if (
                    wanted in Path(entry.path, "cmdline").read_bytes()
                    and entry.stat().st_uid == os.geteuid()
                ):
                    pids.append(int(entry.name))
            except OSError:
                continue  # it ended meanwhile
    return pids


def _from_ps(mark: str) -> list[int]:
    program = shutil.which("ps")
    if os.name != "posix" or program is None:
        return []
    listing = subprocess.run(  # noqa: S603
        [program, "-x", "-ww", "-o", "pid=,command="], capture_output=True, check=False
    ).stdout
    lines = (line.split(None, 1) for line in os.fsdecode(listing).splitlines() if mark in line)
    return [int(pid) for pid, _command in lines]


def _watch(folder: Path) -> None:
    # the parent may finish its work after a signal that went to the whole group
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    sys.stdin.buffer.read()
    end_processes(folder)
    remove(folder)
    folder.with_name(f"{folder.name}.lock").unlink(missing_ok=True)


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
