"""What a run is doing: what its stages have counted, what they are at, which source is stopped.

It is written by those who work and read by those who show it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from celebcollect.domain.errors import CelebCollectError, Interrupted, SourceBlocked, SourceError
from celebcollect.domain.tally import Tally

T = TypeVar("T")

PEOPLE = "wikidata"
"""The stage that finds people. It has the name of its command; sources have their own stages."""


@dataclass
class Activity:
    """
    What one stage is doing just now.

    One thread works and writes, any other may read: a display may be a moment behind. Times are
    those of `time.monotonic`.
    """

    planned: int = 0
    """Items that the stage was given so far."""
    done: int = 0
    """Those of them that it is through with."""
    item: str = ""
    """What it is at."""
    waits_until: float | None = None
    """When a pause ends that it makes just now."""
    begun: float | None = None
    """When it began with what it is doing now; None when it is doing nothing."""
    worked_s: float = 0.0
    """How long it worked before that."""

    def begin(self, planned: int = 0) -> None:
        """Count as at work, on so many more items."""
        self.planned += planned
        self.begun = time.monotonic()

    def end(self) -> None:
        """Count as done with what there was."""
        if self.begun is not None:
            self.worked_s += time.monotonic() - self.begun
        self.begun, self.item, self.waits_until = None, "", None

    def each(self, items: Iterable[T], name: Callable[[T], str]) -> Iterator[T]:
        """Yield the items, each counted as done when the next one is asked for."""
        for item in items:
            self.item = name(item)
            yield item
            self.done += 1

    def waiting(self, wait: Callable[[float], bool]) -> Callable[[float], bool]:
        """Return the same `wait`, told about here while it lasts."""

        def told(seconds: float) -> bool:
            self.waits_until = time.monotonic() + seconds
            try:
                return wait(seconds)
            finally:
                self.waits_until = None

        return told

    def rate_per_s(self) -> float | None:
        """
        Return the items per second of working time, pauses included.

        None before the first one is done.
        """
        spent_s = self.worked_s + (0 if self.begun is None else time.monotonic() - self.begun)
        return self.done / spent_s if self.done and spent_s > 0 else None


@dataclass
class RunProgress:
    """How far a `run-all` has come: a tally and an activity per stage, in the pipeline's order."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    activities: dict[str, Activity] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    """Whom the run works on, by QID, and the rounds that each had finished before."""
    round: int = 0
    going_on: bool = False
    """The run goes on with one that did not end."""
    blocked: dict[str, SourceBlocked] = field(default_factory=dict)
    failed: dict[str, SourceError] = field(default_factory=dict)
    ended_by: dict[str, CelebCollectError] = field(default_factory=dict)
    """What ended the run, by the stage that met it; sources end no run."""
    is_over: bool = False
    """Nobody works any more: what waits now, waits for the next run."""

    def tally(self, stage: str) -> Tally:
        """Return the stage's tally, made when first asked for."""
        return self.tallies.setdefault(stage, Tally())

    def activity(self, stage: str) -> Activity:
        """Return what the stage is doing, made when first asked for."""
        return self.activities.setdefault(stage, Activity())

    @contextmanager
    def working(self, stage: str) -> Iterator[Activity]:
        """Count a stage as at work while the block runs; note what ends it, and the run."""
        activity = self.activity(stage)
        activity.begin()
        try:
            yield activity
        except Interrupted:
            raise
        except CelebCollectError as error:
            self.ended_by[stage] = error
            raise
        finally:
            activity.end()

    def usable(self, source: str) -> bool:
        """Tell whether the source may still be asked in this run."""
        return source not in self.blocked and source not in self.failed

    def did_anything(self) -> bool:
        """
        Tell whether there is anything to say of the run.

        That is somebody new or searched, a picture handled, a source that was stopped.
        """
        worked = not all(tally.is_idle() for tally in self.tallies.values())
        return worked or bool(self.blocked or self.failed)
