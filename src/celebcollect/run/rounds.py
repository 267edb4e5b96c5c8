"""`run-all`: rounds of collect ‖ validate ‖ store, drained by lag, then clean; again for people who are short.

Everything that decides what happens next is in the catalogue, so a run that was killed is gone on
with by the next one and ends with the same data set: the note `run-all` names its people, and a
person's round counts as finished only after its pictures were cleaned. A round is *open* while a
source has searched more often than rounds are finished.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Literal

from celebcollect.app import App
from celebcollect.catalogue.state import PersonState, SearchState
from celebcollect.domain.errors import SourceBlocked, SourceError
from celebcollect.domain.records import Celebrity, Status, now
from celebcollect.run.progress import Progress
from celebcollect.sources.base import Source
from celebcollect.stages.clean.stage import clean_people
from celebcollect.stages.collect import collect, find_people
from celebcollect.stages.runner import consume

log = logging.getLogger(__name__)

NOTE = "run-all"


@dataclass(frozen=True)
class Plan:
    """What one `run-all` is asked to do."""

    sources: tuple[str, ...]
    target_images: int
    max_rounds: int
    limit: int | None = None
    """How many people at most."""
    celebrities: Literal["new", "known", "all"] = "new"
    """Whom: those not finished yet, after asking Wikidata; those in the catalogue, without asking;
    or everybody."""


def run_all(app: App, plan: Plan, progress: Progress, stop: threading.Event) -> None:
    """
    Collect until everybody has enough, nothing more is to be had, or the rounds are used up.

    A source that blocks or fails is left alone for the rest of the run (`progress.blocked`,
    `progress.failed`); the others go on. `stop` ends the run early; it is set here when a stage
    fails.

    Raises:
        ServiceError: The log, the catalogue or Wikidata cannot be reached.
    """
    for stage in (
        *(() if plan.celebrities == "known" else ("wikidata",)),
        *plan.sources,
        "validate",
        "store",
        "clean",
    ):
        progress.tally(stage)  # in the order of the pipeline, for the display
    people = progress.people = _choose_people(app, plan, progress, stop)
    with ThreadPoolExecutor(max_workers=len(plan.sources) + 2, thread_name_prefix="stage") as pool:
        rounds = _Rounds(app, progress, stop, pool)
        rounds.do({})  # what an earlier run or somebody else left on the topics
        while not stop.is_set():
            states = app.catalogue.states(list(people))
            active = [
                state for qid, state in states.items() if not _is_done(state, people[qid], plan)
            ]
            todo = {
                name: [state.qid for state in active if _wants(state, name)]
                for name in plan.sources
                if progress.usable(name)
            }
            if not any(todo.values()) and not any(_is_open(state, plan) for state in active):
                break
            progress.round += 1
            rounds.do(todo)
            if not stop.is_set():
                _close_round(app, plan, people, progress)
            if app.catalogue.states(list(people)) == states:
                # nobody could be searched: the source failed for each of those who are left, and
                # another day it may not
                break
    if not stop.is_set():
        _close_round(app, plan, people, progress)
        app.catalogue.set_note(NOTE, None)


def _choose_people(
    app: App, plan: Plan, progress: Progress, stop: threading.Event
) -> dict[str, int]:
    """Return the run's people with the rounds that they had finished when it began; those of an unfinished run of the same plan first."""
    wanted = {**asdict(plan), "sources": list(plan.sources)}
    note = app.catalogue.note(NOTE)
    if note and note.get("plan") == wanted:
        log.info(
            "going on with an unfinished run started=%s people=%d",
            note["started_at"],
            len(note["people"]),
        )
        progress.going_on = True
        return {str(qid): int(rounds) for qid, rounds in note["people"].items()}
    if plan.celebrities != "known":
        tally, activity = progress.tally("wikidata"), progress.activity("wikidata")
        activity.begin()
        find_people(
            app.wikidata(tally, wait=activity.waiting(stop.wait)), app.catalogue, tally, stop=stop
        )
        activity.end()
    everybody = [person.qid for person in app.catalogue.people()]
    states = app.catalogue.states(everybody)
    chosen: dict[str, int] = {}
    for qid in everybody:
        if plan.limit is not None and len(chosen) >= plan.limit:
            break
        unfinished = (
            not states[qid].finished
            if plan.celebrities == "new"
            else _accepted(states[qid]) < plan.target_images
        )
        if unfinished:
            chosen[qid] = states[qid].rounds
    if not stop.is_set():
        app.catalogue.set_note(
            NOTE, {"plan": wanted, "people": chosen, "started_at": now().isoformat()}
        )
    return chosen


def _accepted(state: PersonState) -> int:
    return state.images.get(Status.ACCEPTED, 0)


def _search(state: PersonState, source: str) -> SearchState:
    return state.searches.get(source, SearchState())


def _wants(state: PersonState, source: str) -> bool:
    """Tell whether `source` is still to be searched in the person's current round."""
    return not _search(state, source).exhausted and _search(state, source).rounds <= state.rounds


def _is_open(state: PersonState, plan: Plan) -> bool:
    """Tell whether a round was begun and not finished: just now, by a run that was killed, or by a scraper run by hand."""
    return any(_search(state, name).rounds > state.rounds for name in plan.sources)


def _is_done(state: PersonState, rounds_before: int, plan: Plan) -> bool:
    """Tell whether the person needs nothing more in this run. An open round is always finished first, in all its sources."""
    if _is_open(state, plan):
        return False
    exhausted = all(_search(state, name).exhausted for name in plan.sources)
    return (
        exhausted
        or _accepted(state) >= plan.target_images
        or state.rounds - rounds_before >= plan.max_rounds
    )


def _close_round(app: App, plan: Plan, people: Mapping[str, int], progress: Progress) -> None:
    """Finish everybody's open round; mark those who need no other one."""
    for qid, state in app.catalogue.states(list(people)).items():
        rounds = max(state.rounds, *(_search(state, name).rounds for name in plan.sources))
        closed = PersonState(qid, rounds=rounds, searches=state.searches, images=state.images)
        # A blocked source may have more another day: whoever waits for one stays unfinished, and
        # the next run goes on.
        waiting = any(
            not _search(state, name).exhausted and not progress.usable(name)
            for name in plan.sources
        )
        finished = _accepted(state) >= plan.target_images or (
            not waiting and _is_done(closed, people[qid], plan)
        )
        if (rounds, finished) != (state.rounds, state.finished):
            app.catalogue.record_round(qid, rounds=rounds, finished=finished)


@dataclass
class _Rounds:
    """Does one round after the other with the same sources and threads."""

    app: App
    progress: Progress
    stop: threading.Event
    pool: ThreadPoolExecutor
    sources: dict[str, Source] = field(default_factory=dict)

    def do(self, todo: Mapping[str, Sequence[str]]) -> None:
        """Collect ‖ validate ‖ store until nothing is left on the topics, then clean."""
        app, progress, stop = self.app, self.progress, self.stop
        # Opened in this thread: opening is not for several threads at once.
        for name, qids in todo.items():
            if qids and name not in self.sources:
                self.sources[name] = app.source(
                    name, progress.tally(name), wait=progress.activity(name).waiting(stop.wait)
                )
        validate, store = (
            app.validate(progress.tally("validate")),
            app.store(progress.tally("store")),
        )
        jobs: list[Future[None]] = [
            self.pool.submit(self._collect, name, list(qids)) for name, qids in todo.items() if qids
        ]
        jobs.append(
            self.pool.submit(
                consume,
                validate,
                app.bus,
                progress.tally("validate"),
                stop=stop,
                more_may_come=partial(_any_running, list(jobs)),
            )
        )
        jobs.append(
            self.pool.submit(
                consume,
                store,
                app.bus,
                progress.tally("store"),
                stop=stop,
                more_may_come=partial(_any_running, list(jobs)),
            )
        )
        self._join(jobs)
        if not stop.is_set():
            progress.activity("clean").begin()
            clean_people(
                app.catalogue,
                app.folder,
                app.bus,
                app.checks,
                topic=app.config.topics.clean,
                tally=progress.tally("clean"),
                stop=stop,
            )
            progress.activity("clean").end()

    def _collect(self, name: str, qids: list[str]) -> None:
        """Search people in one source; what stops the source is kept for the report and does not stop the others."""
        app, tally, activity = self.app, self.progress.tally(name), self.progress.activity(name)
        tally.count("asked for", len(qids))
        activity.begin(len(qids))
        people = activity.each(app.catalogue.people(qids), _name)
        try:
            collect(
                self.sources[name],
                people,
                app.catalogue,
                app.bus,
                tally,
                per_search=app.per_search(name),
                stop=self.stop,
            )
        except SourceBlocked as error:
            self.progress.blocked[name] = error
            log.warning("source blocked, the others go on source=%s reason=%s", name, error.message)
        except SourceError as error:
            self.progress.failed[name] = error
            log.warning("source failed, the others go on source=%s reason=%s", name, error.message)
        finally:
            activity.end()

    def _join(self, jobs: Sequence[Future[None]]) -> None:
        """Wait for all jobs; the first one that fails stops the others, and its error is raised."""
        pending = set(jobs)
        while pending:
            # With a limit, so that signals reach the main thread in between.
            done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
            if any(job.exception() for job in done):
                self.stop.set()
        for job in jobs:
            job.result()


def _name(person: Celebrity) -> str:
    return person.name


def _any_running(jobs: Sequence[Future[None]]) -> bool:
    return not all(job.done() for job in jobs)
