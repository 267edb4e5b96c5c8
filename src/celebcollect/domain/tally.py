"""Count what happened, and why something was left out: numbers are an output, not a log line."""

from __future__ import annotations

import threading
from collections import Counter

from celebcollect.domain.reasons import Reason

_NOTHING_NEW = {"people", "people_before", "unchanged"}


class Tally:
    """
    Counts of outcomes and of the reasons for losses.

    `counts` answers "how many", `reasons` answers "why not". Thread-safe: a display may read while
    stages write.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()

    def count(self, what: str, n: int = 1) -> None:
        """Count `n` more of an outcome, e.g. `accepted`."""
        with self._lock:
            self._counts[what] += n

    def drop(self, reason: Reason, n: int = 1) -> None:
        """Count `n` items left out for `reason`, e.g. `SizeReason.TOO_SMALL`."""
        if not isinstance(reason, Reason):
            raise TypeError(f"{reason!r} is no Reason: declare it, so that it can be explained")
        if n:
            with self._lock:
                self._reasons[reason.value] += n

    @property
    def counts(self) -> dict[str, int]:
        """Return a copy of the outcomes."""
        with self._lock:
            return dict(self._counts)

    @property
    def reasons(self) -> dict[str, int]:
        """Return a copy of the reasons, most frequent first."""
        with self._lock:
            return dict(self._reasons.most_common())

    def __getitem__(self, what: str) -> int:
        with self._lock:
            return self._counts[what]

    def add(self, other: Tally) -> None:
        """Add another tally's numbers to this one."""
        counts, reasons = other.counts, other.reasons
        with self._lock:
            self._counts.update(counts)
            self._reasons.update(reasons)

    def is_idle(self) -> bool:
        """
        Tell whether nothing came of it that a person needs to hear.

        Requests, and what was there before, are nothing new.
        """
        counts, reasons = self.counts, self.reasons
        return not any(
            n
            for what, n in counts.items()
            if what not in _NOTHING_NEW and not what.endswith("requests")
        ) and not any(reasons.values())

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Return both tables, for `--json`."""
        return {"counts": self.counts, "reasons": self.reasons}

    def __str__(self) -> str:
        outcomes = (
            ", ".join(f"{n} {what}" for what, n in self.counts.items() if n) or "nothing to do"
        )
        reasons = ", ".join(f"{n} {reason}" for reason, n in self.reasons.items())
        return f"{outcomes} ({reasons})" if reasons else outcomes
