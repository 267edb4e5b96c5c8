"""Exports and galleries that are gone, and of which `verify --fix` has told already.

They stay noted for `forget`: nobody can tell a folder that was deleted from one on a disk that is
not mounted just now, and that still shows everybody.
"""

from __future__ import annotations

from collections.abc import Collection

from celebcollect.catalogue.base import Notes, SharedNotes

NOTE = "verify-gone"
"""Under `folders`: those of which it is not told again."""


def told(notes: Notes) -> set[str]:
    """Return the folders of which was told that they are gone."""
    return set((notes.note(NOTE) or {}).get("folders", ()))


def set_told(notes: SharedNotes, gone: Collection[str]) -> None:
    """Note which folders are gone: of one that comes back and goes again is told again."""
    if set(gone) != told(notes):
        notes.change_note(NOTE, lambda _: {"folders": sorted(gone)} if gone else {})
