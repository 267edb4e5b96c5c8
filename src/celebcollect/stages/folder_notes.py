"""The folders outside of the collection that `forget` must find: exports and galleries.

A catalogue that is a file in the data folder is copied and moved with it. A note of where the data
folder is tells the two apart: what was moved keeps its exports, a copy leaves them to the original.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class KnownFolders:
    """What is noted, in line with where the data folder is now."""

    exports: dict[str, str]
    """Layouts by folder."""
    galleries: list[str]


def known(catalogue: Catalogue, data_dir: Path) -> KnownFolders:
    """Return what `settle` would make of the notes, and write nothing: for whoever only looks."""
    change = _change(catalogue, data_dir)
    return noted(catalogue, change.place if change and change.is_sure else str)


def noted(notes: Notes, place: Callable[[str], str | None] = str) -> KnownFolders:
    """Return what is noted, each where `place` says that it is."""
    return KnownFolders(_placed_exports(place, exports(notes)), _placed(place, galleries(notes)))


def settle(catalogue: Catalogue, data_dir: Path) -> KnownFolders:
    """
    Bring the notes in line with where the data folder is now, and return them.

    Call it before they are relied on.

    Only a catalogue that lies in the data folder is copied and moved with it. What lies inside of
    the data folder has come along. What lies outside belongs to the original where that is still
    there, so a copy gives it up. Where nobody can tell because the original is out of reach, all
    stays as it is.
    """
    change = _change(catalogue, data_dir)
    if change is None or not change.is_sure:
        return noted(catalogue)
    if change.former is not None:
        place = change.place
        catalogue.change_note(EXPORTS, lambda noted: _placed_exports(place, noted))
        catalogue.change_note(
            GALLERIES, lambda noted: _folders(_placed(place, noted.get("folders", ())))
        )
    # Last: a crash before this does the same once more.
    catalogue.set_note(HOME, {"data_dir": str(change.here)})
    return noted(catalogue)


@dataclass(frozen=True)
class _Change:
    """The data folder is elsewhere than was noted."""

    former: Path | None
    """None: nothing was noted."""
    here: Path
    is_copy: bool | None
    """None: nobody can tell."""

    @property
    def is_sure(self) -> bool:
        return self.is_copy is not None

    def place(self, where: str) -> str | None:
        """Return where a folder is now; None when it is not ours."""
        path = Path(where)
        if self.former is not None and path.is_relative_to(self.former):
            return str(self.here / path.relative_to(self.former))
        return where if not self.is_copy or path.is_relative_to(self.here) else None


def _change(catalogue: Catalogue, data_dir: Path) -> _Change | None:
    here = data_dir.resolve()
    if catalogue.kind != "embedded" or not (here / CATALOGUE).exists():
        return None
    home = (catalogue.note(HOME) or {}).get("data_dir")
    if home is None:
        return _Change(None, here, is_copy=False)
    if home == str(here):
        return None
    former = Path(home)
    is_copy = _is_copy(former / CATALOGUE, here / CATALOGUE)
    if is_copy is None:
        log.warning(
            "this data folder was in %s, which is out of reach or empty (a disk that is not"
            " mounted?): all exports and galleries stay noted as they were; if it was moved,"
            " remove what is left there",
            former,
        )
    else:
        log.warning(
            "this data folder was %s; its exports and galleries outside are %s",
            f"copied from {former}" if is_copy else f"moved from {former}",
            f"left to {former}" if is_copy else "kept",
        )
    return _Change(former, here, is_copy)


def _is_copy(former: Path, own: Path) -> bool | None:
    """Tell whether there is a catalogue that is not ours by another name (a link, a mount)."""
    try:
        return not former.samefile(own)
    except FileNotFoundError:
        # Nothing at all where it was: its disk may not be mounted.
        return False if _has_something(former.parent) else None
    except OSError:
        return None


def _has_something(folder: Path) -> bool:
    """Tell whether the folder, or the nearest one above that is there, holds anything."""
    try:
        return any(next(one for one in (folder, *folder.parents) if one.exists()).iterdir())
    except OSError:
        return False


def _placed(place: Callable[[str], str | None], folders: Iterable[str]) -> list[str]:
    return [new for where in folders if (new := place(where))]


def _placed_exports(place: Callable[[str], str | None], noted: Mapping[str, str]) -> dict[str, str]:
    return {new: layout for where, layout in noted.items() if (new := place(where))}
