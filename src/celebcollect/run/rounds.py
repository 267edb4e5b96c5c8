"""`run-all`: rounds of collect ‖ validate ‖ store, drained by lag, then clean.

Another round follows for people who are short. Everything that decides what happens next is in the
catalogue, so a run that was killed is gone on with by the next one and ends with the same data set:
a note names its people, and a person's round counts as finished only after its pictures were
cleaned (see `plan`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial

from celebcollect.app import App
from celebcollect.domain.errors import SourceBlocked, SourceError
from celebcollect.domain.records import Celebrity
from celebcollect.run import plan as planning
from celebcollect.run.plan import RunPlan
from celebcollect.run.progress import PEOPLE, RunProgress
from celebcollect.sources.base import Source
from celebcollect.stages.clean.stage import clean_people
from celebcollect.stages.collect import collect, find_people
from celebcollect.stages.runner import consume

log = logging.getLogger(__name__)


def run_all(app: App, plan: RunPlan, progress: RunProgress, stop: threading.Event) -> None:
    """
    Collect until everybody has enough, nothing more is to be had, or the rounds are used up.

    A source that blocks or fails is left alone for the rest of the run (`progress.blocked`,
    `progress.failed`); the others go on. `stop` ends the run early; it is set here when a stage
    fails.

    Raises:
        ServiceError: The log, the catalogue or the source of people cannot be reached.
    """
    before_sources = () if plan.celebrities == "known" else (PEOPLE,)
    for stage in (*before_sources, *plan.sources, "validate", "store", "clean"):
        progress.tally(stage)  # in the order of the pipeline, for the display
    try:
        _run(app, plan, progress, stop)
    finally:
        progress.is_over = True


def _run(app: App, plan: RunPlan, progress: RunProgress, stop: threading.Event) -> None:
    progress.people = _people(app, plan, progress, stop)
    with ThreadPoolExecutor(max_workers=len(plan.sources) + 2, thread_name_prefix="stage") as pool:
        rounds = _Rounds(app, progress, stop, pool)
        rounds.do({})  # what an earlier run or somebody else left on the topics
        while not stop.is_set() and _do_round(app, plan, progress, rounds):
            pass
    if not stop.is_set():
        _close_round(app, plan, progress)
        planning.end_run(app.catalogue)


def _do_round(app: App, plan: RunPlan, progress: RunProgress, rounds: _Rounds) -> bool:
    """Do one round; return whether another one may bring more."""
    people = progress.people
    states = app.catalogue.states(list(people))
    active = [
        state for qid, state in states.items() if not planning.is_done(state, people[qid], plan)
    ]
    todo = {
        name: [state.qid for state in active if planning.wants(state, name)]
        for name in plan.sources
        if progress.usable(name)
    }
    if not any(todo.values()) and not any(planning.is_open(state, plan) for state in active):
        return False
    progress.round += 1
    rounds.do(todo)
    if not rounds.stop.is_set():
        _close_round(app, plan, progress)
    # When nothing has changed, nobody could be searched: the source failed for each of those who
    # are left, and another day it may not.
    return app.catalogue.states(list(people)) != states


def _close_round(app: App, plan: RunPlan, progress: RunProgress) -> None:
    stopped = {name for name in plan.sources if not progress.usable(name)}
    planning.close_round(app.catalogue, plan, progress.people, stopped)


def _people(
    app: App, plan: RunPlan, progress: RunProgress, stop: threading.Event
) -> dict[str, int]:
    """
    Return the run's people with the rounds that they had finished when it began.

    Those of an unfinished run of the same plan come first; else its source is asked for more.
    """
    if note := planning.unfinished_run(app.catalogue, plan):
        log.info(
            "going on with an unfinished run started=%s people=%d",
            note["started_at"],
            len(note["people"]),
        )
        progress.going_on = True
        return {str(qid): int(rounds) for qid, rounds in note["people"].items()}
    if plan.celebrities != "known":
        tally = progress.tally(PEOPLE)
        with progress.working(PEOPLE) as activity:
            source = app.people_source(tally, wait=activity.waiting(stop.wait))
            find_people(source, app.catalogue, tally, stop=stop)
    people = planning.choose_people(app.catalogue, plan)
    if not stop.is_set():
        planning.note_run(app.catalogue, plan, people)
    return people


@dataclass
class _Rounds:
    """Does one round after the other with the same sources and threads."""

    app: App
    progress: RunProgress
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
        stages = {
            "validate": app.validate(progress.tally("validate")),
            "store": app.store(progress.tally("store")),
        }
        jobs = [
            self.pool.submit(self._collect, name, list(qids)) for name, qids in todo.items() if qids
        ]
        for name, stage in stages.items():
            more_may_come = partial(_any_running, list(jobs))  # each one feeds those after it
            jobs.append(
                self.pool.submit(
                    consume,
                    stage,
                    app.bus,
                    progress.tally(name),
                    stop=stop,
                    more_may_come=more_may_come,
                )
            )
        self._join(jobs)
        if not stop.is_set():
            with progress.working("clean"):
                clean_people(
                    app.catalogue,
                    app.folder,
                    app.bus,
                    app.checks,
                    topic=app.config.topics.clean,
                    tally=progress.tally("clean"),
                    stop=stop,
                )

    def _collect(self, name: str, qids: list[str]) -> None:
        """
        Search people in one source.

        What stops the source is kept for the report and does not stop the others.
        """
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
