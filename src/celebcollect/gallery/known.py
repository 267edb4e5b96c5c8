"""The folders that pages were written to, so that `forget` finds them."""

from __future__ import annotations

from pathlib import Path

from celebcollect.catalogue.base import Notes, SharedNotes
from celebcollect.stages import folder_notes


def known_galleries(catalogue: Notes) -> list[Path]:
    """Return the folders that pages were ever written to."""
    return [Path(where) for where in folder_notes.galleries(catalogue)]


def remember(catalogue: SharedNotes, target: Path) -> None:
    """Note a folder that a page is about to be written to."""
    # Before anything is shown in it: a page that is never finished must be found by `forget` too.
    folder_notes.add_gallery(catalogue, str(target.resolve()))
