"""The folders outside of the collection that `forget` must find: exports and galleries.

A catalogue that is a file in the data folder is copied and moved with it. A note of where the data
folder is tells the two apart: what was moved keeps its exports, a copy leaves them to the original.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from celebcollect.catalogue.base import Catalogue, Notes, SharedNotes

log = logging.getLogger(__name__)

EXPORTS = "exports"
"""Note: the layout of each export, by folder."""
GALLERIES = "galleries"
"""Note: the folders of galleries, under `folders`."""
HOME = "home"
"""Note: the data folder that the catalogue lies in, under `data_dir`."""

CATALOGUE = "catalogue.sqlite3"


def exports(notes: Notes) -> dict[str, str]:
    """Return the layouts of exports by folder."""
    return {str(where): str(layout) for where, layout in (notes.note(EXPORTS) or {}).items()}


def galleries(notes: Notes) -> list[str]:
    """Return the folders of galleries."""
    return [str(where) for where in (notes.note(GALLERIES) or {}).get("folders", ())]


def add_export(notes: SharedNotes, where: str, layout: str) -> None:
    """Note an export; others may note theirs at the same time."""
    if exports(notes).get(where) != layout:
        notes.change_note(EXPORTS, lambda noted: {**noted, where: layout})


def add_gallery(notes: SharedNotes, where: str) -> None:
    """Note the folder of a gallery; others may note theirs at the same time."""
    if where not in galleries(notes):
        notes.change_note(GALLERIES, lambda noted: _folders([*noted.get("folders", ()), where]))


def _folders(names: Iterable[str]) -> dict[str, list[str]]:
    ordered = list(dict.fromkeys(names))
    return {"folders": ordered} if ordered else {}


def settle(catalogue: Catalogue, data_dir: Path) -> None:
    """
    Bring the notes in line with where the data folder is now; call it before they are relied on.

    Only a catalogue that lies in the data folder is copied and moved with it. What lies inside of
    the data folder has come along. What lies outside belongs to the original where that is still
    there, so a copy gives it up.
    """
    here = data_dir.resolve()
    if catalogue.kind != "embedded" or not (here / CATALOGUE).exists():
        return
    home = (catalogue.note(HOME) or {}).get("data_dir")
    if home == str(here):
        return
    if home is not None:
        former = Path(home)
        is_copy = _is_other(former / CATALOGUE, here / CATALOGUE)
        log.warning(
            "this data folder was %s; its exports and galleries outside are %s",
            f"copied from {former}" if is_copy else f"moved from {former}",
            f"left to {former}" if is_copy else "kept",
        )
        place = _mover(former, here, keep_outside=not is_copy)
        catalogue.change_note(
            EXPORTS,
            lambda noted: {new: layout for name, layout in noted.items() if (new := place(name))},
        )
        catalogue.change_note(
            GALLERIES,
            lambda noted: _folders(filter(None, map(place, noted.get("folders", ())))),
        )
    # Last: a crash before this does the same once more.
    catalogue.set_note(HOME, {"data_dir": str(here)})


def _is_other(former: Path, own: Path) -> bool:
    """Tell whether there is a catalogue that is not ours by another name (a link, a mount)."""
    try:
        return not former.samefile(own)
    except OSError:
        return False


def _mover(former: Path, here: Path, *, keep_outside: bool) -> Callable[[str], str | None]:
    def place(where: str) -> str | None:
        path = Path(where)
        if path.is_relative_to(former):
            return str(here / path.relative_to(former))
        return where if keep_outside or path.is_relative_to(here) else None

    return place
