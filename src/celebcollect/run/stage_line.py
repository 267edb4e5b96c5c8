"""One stage as it is shown: how much is done and waits, how fast, how long it will take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from celebcollect.domain.records import now
from celebcollect.run.progress import PEOPLE, Activity

WINDOW_S = 30.0
"""Rates are those of the last half minute: a pause shows, a blink does not."""

HEADLINES = {
    PEOPLE: {"new": "new", "changed": "changed"},
    "validate": {"verified": "new"},
    "store": {"stored": "stored", "failed": "failed", "retried": "tried again"},
    "clean": {
        "accepted": "accepted",
        "rejected": "rejected",
        "restored": "restored",
        "withdrawn": "withdrawn",
    },
}
"""Which counts of a stage are shown, and under what name."""


@dataclass(frozen=True)
class StageLine:
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
        """Return how long the rest takes at this rate; None where nobody knows, or it is done."""
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


class Rates:
    """Turns growing numbers into rates. One thread uses it."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def of(self, name: str, done: int, at: float) -> float | None:
        """
        Return how fast a number grows per second, this look included.

        None after the first look, or when it became smaller.
        """
        seen = self._seen.setdefault(name, deque())
        if not seen or at > seen[-1][0]:
            seen.append((at, done))
        while len(seen) > 2 and at - seen[1][0] >= WINDOW_S:
            seen.popleft()
        (first_at, first), (last_at, last) = seen[0], seen[-1]
        if last_at <= first_at or last < first:
            return None
        return (last - first) / (last_at - first_at)


def headline(stage: str, counts: Mapping[str, int]) -> dict[str, int]:
    """Return those counts of a stage that its line shows."""
    return {name: counts[what] for what, name in HEADLINES[stage].items() if counts.get(what)}


def doing(activity: Activity) -> str:
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
