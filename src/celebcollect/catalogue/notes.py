"""What the pipeline needs of a catalogue to keep small state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

Change = Callable[[dict[str, Any]], Mapping[str, Any]]
"""Returns what a note shall hold, given what it holds; empty: no note. It may be called several
times, and what it does must be harmless when done twice."""


class Notes(Protocol):
    """Small state of sources and runs: cool-downs, checkpoints, the run to go on with."""

    def note(self, key: str) -> dict[str, Any] | None:
        """Return a note, or None."""

    def set_note(self, key: str, value: Mapping[str, Any] | None) -> None:
        """Write a note of JSON values, or remove it with None; durable on return."""


class SharedNotes(Notes, Protocol):
    """Notes that several processes change at once."""

    def change_note(self, key: str, change: Change) -> None:
        """Replace a note by what `change` makes of it; nobody else's change gets lost by that."""
