"""Look at the log and the catalogue again and again, and say how far each stage has come.

The same lines show a `run-all` of this process, of which more is known, and workers elsewhere, of
which only what they leave behind is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from celebcollect.app import App
from celebcollect.bus.base import TopicInfo, our_topics
from celebcollect.catalogue.state import Counts
from celebcollect.domain.records import Status
from celebcollect.run.progress import PEOPLE, RunProgress
from celebcollect.run.stage_line import Rates, StageLine, cooling_down, doing, headline
from celebcollect.stages.refusals import blocked_until

LEFT = "left for the next run"
"""What is told of pictures that wait when a run has ended."""


@dataclass(frozen=True)
class PipelineState:
    """What the log and the catalogue hold at one moment."""

    at: float
    """`time.monotonic`."""
    counts: Counts
    topics: Mapping[str, TopicInfo]

    def progress(self, group: str, topics: tuple[str, ...]) -> tuple[int, int]:
        """
        Return the messages that a consumer group has done, and those that wait for it.

        A group that never ran is behind by everything.
        """
        infos = [self.topics[name] for name in topics if name in self.topics]
        waiting = sum(info.lag.get(group, info.messages) for info in infos)
        return max(0, sum(info.messages for info in infos) - waiting), waiting


def read_state(app: App) -> PipelineState:
    """Look once."""
    topics = {info.name: info for info in our_topics(app.bus, app.config.topics.all())}
    return PipelineState(time.monotonic(), app.catalogue.counts(), topics)


class RunWatch:
    """Watches a `run-all` of this process."""

    def __init__(self, app: App, progress: RunProgress) -> None:
        self._app, self._progress = app, progress
        self._rates = Rates()
        self._first: PipelineState | None = None
        self._last: PipelineState | None = None

    def look(self) -> None:
        """Look at the log and the catalogue; `lines` shows what was seen last."""
        seen = read_state(self._app)
        self._first, self._last = self._first or seen, seen

    def lines(self) -> list[StageLine]:
        """Return one line per stage."""
        return [self._line(stage) for stage in list(self._progress.tallies)]

    def _line(self, stage: str) -> StageLine:
        if stage == PEOPLE:
            return self._people()
        if stage in self._app.sources.names:
            return self._source(stage)
        return self._clean() if stage == "clean" else self._group(stage)

    def _people(self) -> StageLine:
        tally = self._progress.tally(PEOPLE)
        return StageLine(
            PEOPLE,
            "people",
            tally["people"] + tally["people_before"],
            now=self._doing(PEOPLE),
            so_far=headline(PEOPLE, tally.counts),
            left_out=tally.reasons,
            trouble=PEOPLE in self._progress.ended_by,
        )

    def _source(self, name: str) -> StageLine:
        tally, activity = self._progress.tally(name), self._progress.activity(name)
        usable = self._progress.usable(name)
        return StageLine(
            name,
            "people",
            activity.done,
            waiting=activity.planned - activity.done,
            rate_per_s=activity.rate_per_s() if usable else None,
            now=doing(activity) if usable else self._obstacle(name),
            so_far={"found": tally["candidates"]} if tally["candidates"] else {},
            left_out=tally.reasons,
            trouble=not usable,
        )

    def _doing(self, stage: str) -> str:
        """Say what a stage does that can end the run, or what it was that ended it."""
        if error := self._progress.ended_by.get(stage):
            return f"failed: {error.message}"
        return doing(self._progress.activity(stage))

    def _obstacle(self, source: str) -> str:
        """Return what stands in the way of a source."""
        if source in self._progress.failed:
            return f"failed: {self._progress.failed[source].message}"
        error = self._progress.blocked[source]
        return cooling_down(error.until) if error.until else f"blocked: {error.message}"

    def _group(self, stage: str) -> StageLine:
        """Return the line of a stage that reads topics: what this run has done, and the lag."""
        done, waiting, at = 0, 0, time.monotonic()
        if self._first is not None and self._last is not None:
            topics = _topics(self._app)[stage]
            before, _ = self._first.progress(stage, topics)
            now_done, waiting = self._last.progress(stage, topics)
            done, at = max(0, now_done - before), self._last.at
        tally = self._progress.tally(stage)
        return StageLine(
            stage,
            "URLs",
            done,
            waiting,
            rate_per_s=self._rates.of(stage, done, at),
            now=(LEFT if self._progress.is_over else "at work") if waiting else "idle",
            so_far=headline(stage, tally.counts),
            left_out=tally.reasons,
        )

    def _clean(self) -> StageLine:
        tally, activity = self._progress.tally("clean"), self._progress.activity("clean")
        done = waiting = 0
        if self._last is not None:
            # A picture may be judged several times, so what is done is counted where that happens.
            done = tally["accepted"] + tally["rejected"]
            waiting = self._last.counts.images.get(Status.STORED, 0)
        later = LEFT if self._progress.is_over else "when the round is drained"
        waits = waiting and activity.begun is None and "clean" not in self._progress.ended_by
        return StageLine(
            "clean",
            "pictures",
            done,
            waiting,
            rate_per_s=self._rates.of("clean", done, time.monotonic()),
            now=later if waits else self._doing("clean"),
            so_far=headline("clean", tally.counts),
            left_out=tally.reasons,
            trouble="clean" in self._progress.ended_by,
        )


class StatusWatch:
    """Watches workers wherever they are, by what they leave in the log and in the catalogue."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._rates = Rates()

    def look(self) -> tuple[PipelineState, list[StageLine]]:
        """Look once more; from the second time on with rates."""
        seen = read_state(self._app)
        return seen, self.lines(seen)

    def lines(self, seen: PipelineState) -> list[StageLine]:
        """Return one line per stage."""
        return [
            *(self._source(name, seen) for name in self._app.sources.names),
            *(self._group(name, seen) for name in _topics(self._app)),
            self._clean(seen),
        ]

    def _source(self, name: str, seen: PipelineState) -> StageLine:
        app, people = self._app, seen.counts.celebrities
        wanting = app.catalogue.need_search(name, target=app.config.run.target_images)
        waiting = min(people, len(wanting))
        topic = seen.topics.get(app.config.topics.of(name))
        until = blocked_until(app.catalogue, name)
        done = people - waiting
        return StageLine(
            name,
            "people",
            done,
            waiting,
            rate_per_s=self._rates.of(name, done, seen.at),
            now=cooling_down(until) if until else "",
            so_far={"found": topic.messages} if topic and topic.messages else {},
            trouble=until is not None,
        )

    def _group(self, stage: str, seen: PipelineState) -> StageLine:
        done, waiting = seen.progress(stage, _topics(self._app)[stage])
        failed = seen.counts.images[Status.FAILED] if stage == "store" else 0
        return StageLine(
            stage,
            "URLs",
            done,
            waiting,
            rate_per_s=self._rates.of(stage, done, seen.at),
            so_far={"failed": failed} if failed else {},
        )

    def _clean(self, seen: PipelineState) -> StageLine:
        counts = seen.counts.images
        judged = (Status.ACCEPTED, Status.REJECTED)
        so_far = {state.value: counts[state] for state in judged if counts[state]}
        done = sum(so_far.values())
        return StageLine(
            "clean",
            "pictures",
            done,
            counts[Status.STORED],
            rate_per_s=self._rates.of("clean", done, seen.at),
            so_far=so_far,
        )


def _topics(app: App) -> dict[str, tuple[str, ...]]:
    names = app.config.topics
    return {"validate": tuple(names.candidates()), "store": (names.verified,)}
