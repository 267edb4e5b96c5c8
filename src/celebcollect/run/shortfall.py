"""Say who is short of pictures after a run, and why.

That is what each source still has, and what became of the pictures that were found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from celebcollect.catalogue.base import People
from celebcollect.catalogue.state import PersonState, SearchState
from celebcollect.domain.records import Status
from celebcollect.run.progress import RunProgress

LOST = {
    Status.REJECTED: "rejected",
    Status.FAILED: "not downloaded",
    Status.VERIFIED: "to download",
    Status.STORED: "to clean",
}


class Offer(StrEnum):
    """What a source still has of a person."""

    NOTHING = "nothing"
    NO_MORE = "no more"
    MAYBE_MORE = "perhaps more"
    BLOCKED = "blocked"
    FAILED = "failed"


@dataclass(frozen=True)
class ShortPerson:
    """Somebody with fewer accepted pictures than wanted."""

    qid: str
    name: str
    accepted: int
    offers: Mapping[str, Offer]
    """By source."""
    lost: Mapping[str, int]
    """What became of the other pictures."""

    @property
    def why(self) -> str:
        """Return it all in a line: `blocked: one; no more: another; 7 rejected`."""
        by_offer: dict[Offer, list[str]] = {}
        for source, offer in self.offers.items():
            by_offer.setdefault(offer, []).append(source)
        offers = [f"{offer}: {', '.join(sources)}" for offer, sources in by_offer.items()]
        lost = ", ".join(f"{n} {what}" for what, n in self.lost.items())
        return "; ".join(filter(None, (*offers, lost)))


def short_people(
    catalogue: People, progress: RunProgress, *, sources: Sequence[str], target: int
) -> list[ShortPerson]:
    """Return the people of a run who are short, by fame."""
    states = catalogue.states(list(progress.people))
    short = {
        qid: state for qid, state in states.items() if state.images.get(Status.ACCEPTED, 0) < target
    }
    return [
        _short(person.name, short[person.qid], progress, sources)
        for person in catalogue.people(list(short))
    ]


def _short(
    name: str, state: PersonState, progress: RunProgress, sources: Sequence[str]
) -> ShortPerson:
    offers = {
        source: _offer(state.searches.get(source, SearchState()), source, progress)
        for source in sources
    }
    lost = {what: n for status, what in LOST.items() if (n := state.images.get(status, 0))}
    return ShortPerson(state.qid, name, state.images.get(Status.ACCEPTED, 0), offers, lost)


def _offer(search: SearchState, source: str, progress: RunProgress) -> Offer:
    if search.exhausted:
        return Offer.NO_MORE if search.offered else Offer.NOTHING
    if source in progress.blocked:
        return Offer.BLOCKED
    return Offer.FAILED if source in progress.failed else Offer.MAYBE_MORE
