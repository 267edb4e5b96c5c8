"""Name the process that owns a claim or a temporary file, and tell whether it still lives."""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Iterable
from pathlib import Path

INITIAL_PID_NAMESPACE = "pid:[4026531836]"
"""Linux gives the first process id namespace this number (PROC_PID_INIT_INO in
include/linux/proc_ns.h)."""


@functools.cache
def this_host() -> str:
    """
    Return a name under which process ids mean the same processes.

    Containers may share a host name and yet count processes for themselves, and machines may share
    a default name: the number of the process id namespace, or else the machine id, tells them
    apart.
    """
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = INITIAL_PID_NAMESPACE
    if namespace != INITIAL_PID_NAMESPACE:
        mark = "".join(filter(str.isdigit, namespace))
    else:
        try:
            mark = Path("/etc/machine-id").read_text(encoding="ascii").strip()[:8]
        except (OSError, ValueError):
            mark = ""
    name = "".join(
        char if char.isalnum() or char in "._-" else "_" for char in socket.gethostname()
    )[:64]
    return f"{name}.{mark}" if mark else name


def _started(pid: int) -> str | None:
    """
    Return when a process of this machine started, to tell a reused pid; None when unknown.

    Linux counts it in clock ticks since boot. The text is empty for a process that has ended and
    only waits to be collected.
    """
    try:
        # Fields 3 (state) and 22 (start time) of proc(5) stat; the command name in field 2 may hold
        # spaces and brackets, so cut after the last one.
        fields = (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()
        )
        return "" if fields[0] in ("Z", "X") else fields[19]
    except (OSError, IndexError):
        return None


def this_owner() -> str:
    """Return this process as `host|pid|start time`."""
    return _owner(os.getpid())


@functools.lru_cache(maxsize=1)
def _owner(pid: int) -> str:
    # By its number, because a process that was forked is another one.
    return f"{this_host()}|{pid}|{_started(pid) or ''}"


def is_dead(owner: str) -> bool:
    """Tell whether the owner was a process of this machine that has ended; False when unknown."""
    host, _, rest = owner.partition("|")
    pid_text, _, started = rest.partition("|")
    if host != this_host() or not (pid_text.isascii() and pid_text.isdigit()):
        return False
    try:
        os.kill(int(pid_text), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass
    now_there = _started(int(pid_text))
    return bool(started) and now_there is not None and now_there != started


def dead_owners(owners: Iterable[str]) -> set[str]:
    """Return those owners that are dead, each looked at once."""
    return {owner for owner in set(owners) if is_dead(owner)}
