"""What tests of the Google source share.

Notes, people, and the source itself against the small search engine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from celebcollect.domain.records import Celebrity, ImageCandidate
from celebcollect.domain.tally import Tally
from celebcollect.sources.google.guardian import processes_in
from celebcollect.sources.google.settings import GoogleConfig
from celebcollect.sources.google.source import Google


class MemoryNotes:
    """Notes that are kept as JSON, as the catalogue keeps them."""

    def __init__(self, notes: Mapping[str, Any] | None = None) -> None:
        self.notes = {key: json.dumps(value) for key, value in (notes or {}).items()}

    def note(self, key: str) -> dict[str, Any] | None:
        note: dict[str, Any] | None = json.loads(self.notes.get(key, "null"))
        return note

    def set_note(self, key: str, value: Mapping[str, Any] | None) -> None:
        self.notes[key] = json.dumps(value)


class MakeScraper(Protocol):
    """Makes Google sources that search the small web; each is closed after the test."""

    def __call__(self, folder: str = "data", **settings: Any) -> Scraper: ...


class Scraper:
    """
    The Google source with its own data folder, quick enough for a test.

    Use it as a context manager.
    """

    def __init__(self, search_url: str, folder: Path, **settings: Any) -> None:
        options = {
            "search_url": search_url,
            "min_interval_s": 0,
            "timeout_s": 5,
            "page_wait_s": 3,
            **settings,
        }
        more = {key: options.pop(key) for key in ("save_page", "wait") if key in options}
        self.notes = options.pop("notes", None) or MemoryNotes()
        self.folder = folder
        self.tally = Tally()
        self.source = Google(
            GoogleConfig(**options),
            topic="urls",
            data_dir=folder,
            tally=self.tally,
            notes=self.notes,
            **more,
        )

    def __enter__(self) -> Scraper:
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()

    def find(self, name: str, limit: int = 5, qid: str = "Q1") -> list[ImageCandidate]:
        """Search a person."""
        return list(self.source.candidates(Celebrity(qid=qid, name=name), limit))

    def processes(self) -> list[int]:
        """Return the processes of our browsers."""
        return processes_in(self.folder / "browser")

    def left_behind(self) -> list[str]:
        """Return what lies in the browsers' folder."""
        return sorted(path.name for path in (self.folder / "browser").iterdir())


def urls(candidates: list[ImageCandidate]) -> list[str]:
    return [candidate.url for candidate in candidates]
