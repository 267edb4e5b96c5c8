"""Name the tasks for which people are claimed."""

CLEAN = "clean"
"""Cleaning a person's pictures."""


def search_task(source: str) -> str:
    """Return the task of searching people at a source; `need_search` leaves out who is claimed."""
    return f"search:{source}"
