"""The folders that pages were written to, so that `forget` finds them."""

from __future__ import annotations

from pathlib import Path

from celebcollect.catalogue.base import Notes

NOTE = "galleries"
"""Note of the catalogue that names the folders, so that `forget` finds them."""


def known_galleries(catalogue: Notes) -> list[Path]:
    """Return the folders that pages were ever written to."""
    return [Path(where) for where in (catalogue.note(NOTE) or {}).get("folders", ())]


def remember(catalogue: Notes, target: Path) -> None:
    """Note a folder that a page is about to be written to."""
    # Before anything is shown in it: a page that is never finished must be found by `forget` too.
    known, where = known_galleries(catalogue), target.resolve()
    if where not in known:
        catalogue.set_note(NOTE, {"folders": [*map(str, known), str(where)]})
