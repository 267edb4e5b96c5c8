"""Until when a source that refused us is left alone, as whoever asked it last has noted.

It is noted in the catalogue, so that `status` can tell it wherever the scraper runs.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from celebcollect.catalogue.base import Notes
from celebcollect.domain.errors import SourceBlocked
from celebcollect.domain.records import now

UNTOLD_REST = timedelta(hours=1)
"""How long a source is taken for blocked that did not say until when."""


def blocked_until(catalogue: Notes, source: str) -> datetime | None:
    """Return until when a source wants to be left alone, None when it may be asked."""
    note = catalogue.note(_key(source)) or {}
    try:
        until = datetime.fromisoformat(note["until"])
        return until if until > now() else None
    except (KeyError, TypeError, ValueError):
        return None


def note_refusal(catalogue: Notes, source: str, error: SourceBlocked) -> None:
    """Note that a source refused us."""
    until = error.until or now() + UNTOLD_REST
    catalogue.set_note(_key(source), {"until": until.isoformat()})


def note_answer(catalogue: Notes, source: str) -> None:
    """Note that a source answered, so that no former refusal holds."""
    if catalogue.note(_key(source)) is not None:
        catalogue.set_note(_key(source), None)


def _key(source: str) -> str:
    return f"blocked:{source}"
