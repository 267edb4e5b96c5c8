"""Look at the log and the catalogue again and again: how much is done and waits at each stage, how fast, how long it will take.

The same lines show a `run-all` of this process, of which more is known, and workers elsewhere, of
which only what they leave behind is.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from celebcollect.app import App
from celebcollect.bus.base import TopicInfo
from celebcollect.catalogue.state import Counts
from celebcollect.domain.records import Status, now
from celebcollect.run.progress import Activity, Progress
from celebcollect.stages.collect import blocked_until

WINDOW_S = 30.0
"""Rates are those of the last half minute: a pause shows, a blink does not."""

HEADLINES = {
    "wikidata": {"new": "new", "changed": "changed"},
    "validate": {"verified": "new"},
    "store": {"stored": "stored", "failed": "failed", "retried": "tried again"},
    "clean": {
        "accepted": "accepted",
        "rejected": "rejected",
        "restored": "restored",
        "withdrawn": "withdrawn",
    },
}
"""Which counts a line shows, and under what name."""


@dataclass(frozen=True)
class Line:
    """One stage, as it is shown."""

    stage: str
    unit: str
    done: int = 0
    waiting: int | None = None
    """What is still to be done (a consumer group's lag, people to search); None where nobody
    knows."""
    rate_per_s: float | None = None
    now: str = ""
    """What it is doing."""
    so_far: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    trouble: bool = False

    @property
    def total(self) -> int | None:
        """Return what is done and what waits together."""
        return None if self.waiting is None else self.done + self.waiting

    @property
    def left_s(self) -> float | None:
        """Return how long the rest takes at this rate; None when that cannot be said, or nothing is left."""
        return self.waiting / self.rate_per_s if self.waiting and self.rate_per_s else None

    def facts(self) -> dict[str, object]:
        """Return the line for a program."""
        rate, left = self.rate_per_s, self.left_s
        return {
            "stage": self.stage,
            "unit": self.unit,
            "done": self.done,
            "waiting": self.waiting,
            "rate_per_s": None if rate is None else round(rate, 3),
            "left_s": None if left is None else round(left),
            "now": self.now,
            "so_far": dict(self.so_far),
            "left_out": dict(self.left_out),
        }


@dataclass(frozen=True)
class Look:
    """What the log and the catalogue hold at one moment."""

    at: float
    """`time.monotonic`."""
    counts: Counts
    topics: Mapping[str, TopicInfo]

    def progress(self, group: str, topics: tuple[str, ...]) -> tuple[int, int]:
        """Return the messages that a consumer group has done, and those that wait for it; whoever never ran is behind by everything."""
        infos = [self.topics[name] for name in topics if name in self.topics]
        waiting = sum(info.lag.get(group, info.messages) for info in infos)
        return max(0, sum(info.messages for info in infos) - waiting), waiting


def look(app: App) -> Look:
    """Look once."""
    return Look(
        time.monotonic(), app.catalogue.counts(), {info.name: info for info in app.bus.topics()}
    )


class Rates:
    """Turns growing numbers into rates. One thread uses it."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def of(self, name: str, done: int, at: float) -> float | None:
        """Return how fast a number grows per second, this look included; None after the first look, or when it became smaller."""
        seen = self._seen.setdefault(name, deque())
        if not seen or at > seen[-1][0]:
            seen.append((at, done))
        while len(seen) > 2 and at - seen[1][0] >= WINDOW_S:
            seen.popleft()
        (first_at, first), (last_at, last) = seen[0], seen[-1]
        return (
            (last - first) / (last_at - first_at) if last_at > first_at and last >= first else None
        )


class RunWatch:
    """Watches a `run-all` of this process."""

    def __init__(self, app: App, progress: Progress) -> None:
        self._app, self._progress = app, progress
        self._rates = Rates()
        self._first: Look | None = None
        self._last: Look | None = None

    def look(self) -> None:
        """Look at the log and the catalogue; `lines` shows what was seen last."""
        seen = look(self._app)
        self._first, self._last = self._first or seen, seen

    def lines(self) -> list[Line]:
        """Return one line per stage."""
        return [self._line(stage) for stage in list(self._progress.tallies)]

    def _line(self, stage: str) -> Line:
        progress = self._progress
        tally, activity = progress.tally(stage), progress.activity(stage)
        left_out = tally.reasons
        if stage == "wikidata":
            so_far = _headline(stage, tally.counts)
            return Line(
                stage,
                "people",
                tally["people"] + tally["people_before"],
                now=_doing(activity),
                so_far=so_far,
                left_out=left_out,
            )
        if stage in self._app.sources.names:
            usable = progress.usable(stage)
            rate = activity.rate_per_s() if usable else None
            so_far = {"found": tally["candidates"]} if tally["candidates"] else {}
            waiting = activity.planned - activity.done
            told = _doing(activity) if usable else self._trouble(stage)
            return Line(
                stage,
                "people",
                activity.done,
                waiting,
                rate,
                told,
                so_far,
                left_out,
                trouble=not usable,
            )
        done, waiting, at = self._numbers(stage)
        if stage == "clean":
            told = (
                "when the round is drained"
                if waiting and activity.begun is None
                else _doing(activity)
            )
        else:
            told = "at work" if waiting else "idle"
        unit = "pictures" if stage == "clean" else "URLs"
        return Line(
            stage,
            unit,
            done,
            waiting,
            self._rates.of(stage, done, at),
            told,
            _headline(stage, tally.counts),
            left_out,
        )

    def _trouble(self, source: str) -> str:
        """Return what stands in the way of a source."""
        if source in self._progress.failed:
            return f"failed: {self._progress.failed[source].message}"
        error = self._progress.blocked[source]
        return cooling_down(error.until) if error.until else f"blocked: {error.message}"

    def _numbers(self, stage: str) -> tuple[int, int, float]:
        """Return what a stage has done in this run, what waits for it, and when that was seen."""
        if self._first is None or self._last is None:
            return 0, 0, time.monotonic()
        if stage == "clean":
            # A picture may be judged several times, so what is done is counted where that happens.
            tally = self._progress.tally(stage)
            return (
                tally["accepted"] + tally["rejected"],
                self._last.counts.images.get(Status.STORED, 0),
                time.monotonic(),
            )
        topics = _topics(self._app)[stage]
        before, (done, waiting) = (
            self._first.progress(stage, topics)[0],
            self._last.progress(stage, topics),
        )
        return max(0, done - before), waiting, self._last.at


class StatusWatch:
    """Watches workers wherever they are, by what they leave in the log and in the catalogue."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._rates = Rates()

    def look(self) -> tuple[Look, list[Line]]:
        """Look once more; from the second time on with rates."""
        seen = look(self._app)
        return seen, self.lines(seen)

    def lines(self, seen: Look) -> list[Line]:
        """Return one line per stage."""
        return [
            *(self._source(name, seen) for name in self._app.sources.names),
            *(self._group(name, seen) for name in _topics(self._app)),
            self._clean(seen),
        ]

    def _source(self, name: str, seen: Look) -> Line:
        app, people = self._app, seen.counts.celebrities
        waiting = min(
            people, len(app.catalogue.need_search(name, target=app.config.run.target_images))
        )
        topic = seen.topics.get(app.config.topics.of(name))
        until = blocked_until(app.catalogue, name)
        done = people - waiting
        so_far = {"found": topic.messages} if topic and topic.messages else {}
        told = cooling_down(until) if until else ""
        return Line(
            name,
            "people",
            done,
            waiting,
            self._rates.of(name, done, seen.at),
            told,
            so_far,
            trouble=until is not None,
        )

    def _group(self, stage: str, seen: Look) -> Line:
        done, waiting = seen.progress(stage, _topics(self._app)[stage])
        counts = seen.counts.images
        so_far = (
            {"failed": counts[Status.FAILED]} if stage == "store" and counts[Status.FAILED] else {}
        )
        return Line(
            stage, "URLs", done, waiting, self._rates.of(stage, done, seen.at), so_far=so_far
        )

    def _clean(self, seen: Look) -> Line:
        counts = seen.counts.images
        so_far = {
            state.value: counts[state]
            for state in (Status.ACCEPTED, Status.REJECTED)
            if counts[state]
        }
        done = sum(so_far.values())
        return Line(
            "clean",
            "pictures",
            done,
            counts[Status.STORED],
            self._rates.of("clean", done, seen.at),
            so_far=so_far,
        )


def _topics(app: App) -> dict[str, tuple[str, ...]]:
    names = app.config.topics
    return {"validate": tuple(names.candidates()), "store": (names.verified,)}


def _headline(stage: str, counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts[what] for what, name in HEADLINES[stage].items() if counts.get(what)}


def _doing(activity: Activity) -> str:
    """Say what a stage is doing just now."""
    waits_until = activity.waits_until
    if activity.begun is None:
        return "done" if activity.worked_s else ""
    if waits_until is not None and (seconds := waits_until - time.monotonic()) >= 1:
        return f"waits {seconds:.0f} s{': ' if activity.item else ''}{activity.item}"
    return activity.item or "at work"


def cooling_down(until: datetime) -> str:
    """Say until when a source is left alone; with the day where it is not within a day."""
    form = "%H:%M" if until - now() < timedelta(days=1) else "%Y-%m-%d %H:%M"
    return f"cooling down until {until.astimezone(UTC):{form}} UTC"
