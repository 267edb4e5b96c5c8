"""The folders that pages were written to, so that `forget` finds them."""

from __future__ import annotations

from pathlib import Path

from celebcollect.catalogue.base import SharedNotes
from celebcollect.stages import folder_notes


def remember(catalogue: SharedNotes, target: Path) -> None:
    """Note a folder that a page is about to be written to."""
    # Before anything is shown in it: a page that is never finished must be found by `forget` too.
    folder_notes.add_gallery(catalogue, str(target.resolve()))
