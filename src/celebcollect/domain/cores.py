"""How much work this process may do at once."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Return how many cores this process may use; where nobody tells, how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
