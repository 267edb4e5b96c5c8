"""Which pictures are trusted to show whom they are said to show, and how much."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Protocol

from celebcollect.catalogue.base import Notes, People
from celebcollect.catalogue.state import PORTRAITS_SINCE
from celebcollect.domain.records import Celebrity, Image
from celebcollect.domain.terms import Portrait
from celebcollect.sources.registry import installed
from celebcollect.stages.proofs import IDENTITY, file_title

NAMED, FIRST = 0, 1
"""See `checks.base.Picture.reference`."""


class PortraitCatalogue(People, Notes, Protocol):
    """What is asked about portraits: what Wikidata names, and what sources have proved."""


class Portraits:
    """
    Knows the portraits of some people, as the sources' own processes have written them down.

    A folder that was begun by a version which did not write them down has pictures that were
    trusted because of what their rows say: their rank, or a page that Wikidata names. They stay
    trusted until the source is searched for the person again, but only if they were stored before
    the catalogue was brought up to date: what a message says today makes nothing a portrait.
    """

    def __init__(self, catalogue: PortraitCatalogue, qids: Collection[str]) -> None:
        self._titles = {person.qid: _named(person) for person in catalogue.people(qids)}
        self._searches = {qid: state.searches for qid, state in catalogue.states(qids).items()}
        noted = catalogue.note(PORTRAITS_SINCE) or {}
        try:
            self._since = datetime.fromisoformat(noted["at"])
        except (KeyError, TypeError, ValueError):
            self._since = datetime.min.replace(tzinfo=UTC)

    def rank(self, image: Image) -> int | None:
        """Return how much a picture is trusted; see `checks.base.Picture.reference`."""
        titles = self._titles.get(image.qid, frozenset())
        searches = self._searches.get(image.qid, {})
        proofs = [
            proof
            for search in searches.values()
            if (proof := (search.portraits or {}).get(image.id)) is not None
        ]
        if any(proof in titles for proof in proofs if proof != IDENTITY):
            return NAMED
        if IDENTITY in proofs:
            return FIRST
        search = searches.get(image.source)
        if search is not None and search.portraits is not None:
            return None
        if image.stored_at is None or image.stored_at >= self._since:
            return None
        return _by_its_row(image, titles)


def _by_its_row(image: Image, titles: Collection[str]) -> int | None:
    """Return how much versions before this one trusted a picture."""
    finder = installed().find(image.source)
    match finder.trust.portrait if finder else Portrait.NONE:
        case Portrait.NAMED:
            own = image.own_credit or {"page_url": image.page_url}
            page = (own["page_url"] or "").partition("File:")[2]
            return NAMED if page and file_title(page) in titles else None
        case Portrait.FIRST:
            return FIRST if image.rank == 0 else None
        case Portrait.NONE:
            return None


def _named(person: Celebrity) -> frozenset[str]:
    return frozenset(
        file_title(portrait.partition("Special:FilePath/")[2]) for portrait in person.portraits
    )
