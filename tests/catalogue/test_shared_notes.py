"""Notes that several processes change at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from catalogue.catalogue_backends import Backend
from celebcollect.catalogue.base import Catalogue
from celebcollect.stages import folder_notes

WRITERS = 4


def test_a_note_is_made_changed_and_removed(catalogue: Catalogue) -> None:
    """What a change returns is the note, and nothing is no note."""
    catalogue.change_note("n", lambda noted: {**noted, "a": 1})
    catalogue.change_note("n", lambda noted: {**noted, "b": 2})
    both = catalogue.note("n")
    catalogue.change_note("n", lambda _: {})
    catalogue.change_note("never there", lambda noted: noted)

    assert both == {"a": 1, "b": 2}
    assert catalogue.note("n") is None
    assert catalogue.note("never there") is None


def test_changes_at_once_do_not_lose_each_other(shared_backend: Backend) -> None:
    """Each of several writers, with a connection of its own, finds its entry in the end."""
    begin = threading.Barrier(WRITERS)

    def write(writer: int) -> None:
        with closing(shared_backend.open()) as catalogue:
            begin.wait(timeout=60)
            for number in range(5):
                entry = {f"{writer}-{number}": 1}
                catalogue.change_note("n", lambda noted, entry=entry: {**noted, **entry})  # type: ignore[misc]

    with closing(shared_backend.open()) as catalogue, ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
        noted = catalogue.note("n")

    assert noted == {f"{writer}-{number}": 1 for writer in range(WRITERS) for number in range(5)}


def test_first_folders_noted_at_once_are_all_known(shared_backend: Backend) -> None:
    """Two first exports, or two first pages, at the same moment: `forget` finds each of them."""
    begin = threading.Barrier(WRITERS)

    def note(number: int) -> None:
        with closing(shared_backend.open()) as catalogue:
            begin.wait(timeout=60)
            folder_notes.add_export(catalogue, f"/export-{number}", "imagefolder")
            folder_notes.add_gallery(catalogue, f"/page-{number}")

    with closing(shared_backend.open()) as catalogue, ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(note, range(WRITERS)))

        exports = sorted(folder_notes.exports(catalogue))
        assert exports == [f"/export-{number}" for number in range(WRITERS)]
        assert sorted(folder_notes.galleries(catalogue)) == [
            f"/page-{number}" for number in range(WRITERS)
        ]
