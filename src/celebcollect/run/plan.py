"""Whom a `run-all` works on, what each person still needs, and when a round is finished.

All of it is read from the catalogue, so that the next run goes on where one was killed. A
person's round is *open* while a source has searched more often than rounds are finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from celebcollect.catalogue.base import Notes, People, Work
from celebcollect.catalogue.state import PersonState, SearchState
from celebcollect.domain.records import Status, now

NOTE = "run-all"
"""Key of the note that names the people of an unfinished run."""


class RunCatalogue(People, Work, Notes, Protocol):
    """What a run reads and writes itself."""


@dataclass(frozen=True)
class RunPlan:
    """What one `run-all` is asked to do."""

    sources: tuple[str, ...]
    target_images: int
    max_rounds: int
    limit: int | None = None
    """How many people at most."""
    celebrities: Literal["new", "known", "all"] = "new"
    """Whom: those not finished yet, after asking Wikidata; those in the catalogue, without asking;
    or everybody."""

    def as_note(self) -> dict[str, Any]:
        """Return the plan in JSON values, to be compared with that of an unfinished run."""
        return {**asdict(self), "sources": list(self.sources)}


def unfinished_run(catalogue: RunCatalogue, plan: RunPlan) -> dict[str, Any] | None:
    """Return the note of a run of the same plan that did not end, or None."""
    note = catalogue.note(NOTE)
    return note if note and note.get("plan") == plan.as_note() else None


def choose_people(catalogue: RunCatalogue, plan: RunPlan) -> dict[str, int]:
    """Return whom a new run works on, by fame, and the rounds that each has finished before."""
    everybody = [person.qid for person in catalogue.people()]
    states = catalogue.states(everybody)
    chosen: dict[str, int] = {}
    for qid in everybody:
        if plan.limit is not None and len(chosen) >= plan.limit:
            break
        if plan.celebrities == "new":
            needs_more = not states[qid].finished
        else:
            needs_more = _accepted(states[qid]) < plan.target_images
        if needs_more:
            chosen[qid] = states[qid].rounds
    return chosen


def note_run(catalogue: RunCatalogue, plan: RunPlan, people: Mapping[str, int]) -> None:
    """Remember the run until `end_run`, so that another one goes on with it."""
    note = {"plan": plan.as_note(), "people": dict(people), "started_at": now().isoformat()}
    catalogue.set_note(NOTE, note)


def end_run(catalogue: RunCatalogue) -> None:
    """Remember that the run has ended."""
    catalogue.set_note(NOTE, None)


def wants(state: PersonState, source: str) -> bool:
    """Tell whether `source` is still to be searched in the person's current round."""
    search = _search(state, source)
    return not search.exhausted and search.rounds <= state.rounds


def is_open(state: PersonState, plan: RunPlan) -> bool:
    """
    Tell whether a round was begun and not finished.

    That was just now, or by a run that was killed, or by a scraper run by hand.
    """
    return any(_search(state, name).rounds > state.rounds for name in plan.sources)


def is_done(state: PersonState, rounds_before: int, plan: RunPlan) -> bool:
    """
    Tell whether the person needs nothing more in this run.

    An open round is always finished first, in all its sources.
    """
    if is_open(state, plan):
        return False
    if all(_search(state, name).exhausted for name in plan.sources):
        return True
    enough = _accepted(state) >= plan.target_images
    return enough or state.rounds - rounds_before >= plan.max_rounds


def close_round(
    catalogue: RunCatalogue, plan: RunPlan, people: Mapping[str, int], stopped: set[str]
) -> None:
    """
    Finish everybody's open round; mark those who need no other one.

    Args:
        catalogue: Where the states are.
        plan: What was asked for.
        people: The run's people, with the rounds that they had finished when it began.
        stopped: Sources that blocked or failed. They may have more another day, so whoever waits
            for one stays unfinished, and the next run goes on.
    """
    for qid, state in catalogue.states(list(people)).items():
        rounds = max(state.rounds, *(_search(state, name).rounds for name in plan.sources))
        closed = PersonState(qid, rounds=rounds, searches=state.searches, images=state.images)
        waits = any(name in stopped and not _search(state, name).exhausted for name in plan.sources)
        enough = _accepted(state) >= plan.target_images
        finished = enough or (not waits and is_done(closed, people[qid], plan))
        if (rounds, finished) != (state.rounds, state.finished):
            catalogue.record_round(qid, rounds=rounds, finished=finished)


def _accepted(state: PersonState) -> int:
    return state.images.get(Status.ACCEPTED, 0)


def _search(state: PersonState, source: str) -> SearchState:
    return state.searches.get(source, SearchState())
