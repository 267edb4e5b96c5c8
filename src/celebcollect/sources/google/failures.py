"""Tell a failure about one person from one that happens to everybody."""

from __future__ import annotations

from celebcollect.domain.errors import SourceError
from celebcollect.domain.tally import Tally
from celebcollect.sources.base import PersonNotSearched
from celebcollect.sources.google.reasons import GoogleReason

MAX_FAILURES = 3
"""So many people in a row who cannot be searched are no accident: the page has changed, or the
machine cannot do it."""


class FailuresInARow:
    """Counts the people who could not be searched since the last one who could."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._number = 0

    def end(self) -> None:
        """Begin anew: somebody was searched."""
        self._number = 0

    def error(self, reason: GoogleReason, what: str, *, fatal: bool = False) -> SourceError:
        """
        Count a failure and return its error.

        It is about this person, or about everybody when it happens again and again.
        """
        self._number += 1
        self._tally.drop(reason)
        if fatal or self._number >= MAX_FAILURES:
            people = f" ({self._number} people in a row)" if self._number > 1 else ""
            return SourceError(
                f"{what}{people}",
                hint="Look at a page with --save-page DIR, and check with `celebcollect doctor`.",
            )
        return PersonNotSearched(what)
