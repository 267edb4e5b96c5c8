"""Search people in a source and put what it finds on the source's topic."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Protocol

from celebcollect.bus.base import Bus
from celebcollect.catalogue.base import Forgetting, Notes, People, Work
from celebcollect.catalogue.state import SearchState
from celebcollect.disk.owners import this_owner
from celebcollect.domain.errors import Interrupted, SourceBlocked
from celebcollect.domain.records import Celebrity, now
from celebcollect.domain.tally import Tally
from celebcollect.sources.base import PeopleSource, PersonNotSearched, Source
from celebcollect.stages.forgotten import ForgottenCatalogue, follow_merged
from celebcollect.stages.messages import publish_what_fits
from celebcollect.stages.proofs import proved_portraits
from celebcollect.stages.reasons import CollectReason
from celebcollect.stages.refusals import note_answer, note_refusal

log = logging.getLogger(__name__)

LEASE_S = 600.0
"""How long one person may take a scraper on another machine before somebody else may take the
person over."""


class SearchCatalogue(People, Work, Forgetting, Notes, Protocol):
    """What a search needs: people, claims on them, and what is remembered of the sources."""


def find_people(
    source: PeopleSource, catalogue: ForgottenCatalogue, tally: Tally, *, stop: threading.Event
) -> None:
    """
    Ask the source of people for some, and save them batch by batch.

    The source makes its checkpoint after its batch is saved. Before that, forgotten people are
    forbidden under the items that theirs were merged into.
    """
    follow_merged(catalogue, source, daily=False)
    for batch in source.people():
        saved = catalogue.save_people(batch)
        tally.count("new", saved.new)
        tally.count("changed", saved.changed)
        tally.count("unchanged", saved.unchanged)
        tally.drop(CollectReason.FORGOTTEN, saved.forgotten)
        if stop.is_set():
            return


def collect(
    source: Source,
    people: Iterable[Celebrity],
    catalogue: SearchCatalogue,
    bus: Bus,
    tally: Tally,
    *,
    per_search: int,
    stop: threading.Event,
) -> None:
    """
    Search each person once more in `source` and publish the candidates.

    How far the search has come is remembered after that, so a process that dies repeats the person
    it was at; `validate` drops what is known already. People whom another scraper is searching just
    now are left to it.

    Raises:
        SourceBlocked, SourceError: From the source; people who were done stay done.
    """
    task, owner = f"search:{source.name}", this_owner()
    welcome = False
    for person in people:
        if stop.is_set():
            return
        if not catalogue.claim(task, [person.qid], owner=owner, lease_s=LEASE_S):
            tally.count("left to others")
            continue
        try:
            # Asked after the claim: `forget` holds it while it works.
            if catalogue.forgotten([person.qid]):
                tally.drop(CollectReason.FORGOTTEN)
            else:
                _search(source, person, catalogue, bus, tally, per_search, stop)
                if not welcome:
                    welcome = True
                    note_answer(catalogue, source.name)
        except SourceBlocked as error:
            note_refusal(catalogue, source.name, error)
            raise
        except PersonNotSearched as error:
            # The source counts the reason. The search state stays: the person's turn comes again.
            tally.count("not searched")
            told = (source.name, person.qid, error.message)
            log.warning("person not searched source=%s qid=%s reason=%s", *told)
        finally:
            catalogue.release(task, [person.qid], owner=owner)


def _search(
    source: Source,
    person: Celebrity,
    catalogue: SearchCatalogue,
    bus: Bus,
    tally: Tally,
    per_search: int,
    stop: threading.Event,
) -> None:
    # Read after the claim: another scraper may have finished the person in between.
    state = catalogue.states([person.qid]).get(person.qid)
    before = state.searches.get(source.name, SearchState()) if state else SearchState()
    limit = per_search * (before.rounds + 1)
    try:
        candidates = list(islice(source.candidates(person, limit), limit))
    except Interrupted:
        if stop.is_set():
            return  # a wait of the source was cut short by us; the person is searched again
        raise
    publish_what_fits(
        bus, source.topic, [(person.qid, candidate.to_json()) for candidate in candidates], tally
    )
    exhausted = len(candidates) < limit
    if exhausted and stop.is_set():
        return  # cut short by us: the source may well have more, so the search is not done
    portraits = proved_portraits(source, person, candidates, before.portraits or {})
    catalogue.record_search(
        person.qid,
        source.name,
        SearchState(
            rounds=before.rounds + 1,
            offered=len(candidates),
            exhausted=exhausted,
            at=now(),
            portraits=portraits,
        ),
    )
    if portraits != before.portraits:
        # Which pictures are trusted decides about all others, also about those that are here.
        catalogue.clean_again([person.qid])
    tally.count("people")
    tally.count("candidates", len(candidates))
    if not candidates:
        tally.drop(CollectReason.PERSON_WITHOUT_RESULT)
    told = (source.name, person.qid, len(candidates), exhausted)
    log.debug("searched source=%s qid=%s candidates=%d exhausted=%s", *told)


def pick(
    catalogue: SearchCatalogue, source: str, *, target: int, limit: int | None
) -> Sequence[Celebrity]:
    """Return the people whom a source should search next, never searched and famous ones first."""
    order = catalogue.need_search(source, target=target, limit=limit)
    people = {person.qid: person for person in catalogue.people(order)}
    return [people[qid] for qid in order if qid in people]
