"""Cut the people of an occupation into portions that an endpoint can answer.

Bands of fame, and within one number of sitelinks by birth.

There is no OFFSET (the endpoint would compute the whole answer again for every page, in no certain
order) and no ORDER BY.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

EDGES = (150, 100, 70, 50, 40, 30, 25, 20, 15, 10, 7, 5, 4, 3, 2, 1)
"""Lower ends of the bands. The fewer sitelinks, the more people have them: the bands narrow
downwards, splitting does the rest."""

TOP = 512
"""Nobody has as many sitelinks (there are fewer Wikipedias in use), so a band from here on is not
worth cutting by fame."""

FIRST_DECADE = 1800
"""People born earlier are few enough per number of sitelinks for one portion."""


@dataclass(frozen=True, slots=True)
class Born:
    """
    A half-open range of birth years.

    Without both ends it means those whose birth date is missing, unknown or no date.
    """

    first: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """A half-open range of sitelinks, and a part of it by birth."""

    low: int
    high: int | None
    born: Born | None = None

    def __str__(self) -> str:
        fame = f"{self.low}.." if self.high is None else f"{self.low}..{self.high - 1}"
        if self.born is None:
            return f"{fame} sitelinks"
        undated = self.born.first is None and self.born.end is None
        return f"{fame} sitelinks, " + (
            "birth unknown" if undated else f"born in [{self.born.first}, {self.born.end})"
        )


def bands(lowest: int, *, below: int | None = None) -> Iterator[Band]:
    """
    Yield the bands from the most famous people down to `lowest` sitelinks.

    With `below`, only what lies below it.
    """
    high = below
    for low in (*(edge for edge in EDGES if edge > lowest), lowest):
        if below is None or low < below:
            yield Band(low, high)
            high = low


def split(band: Band, *, born_after: date | None) -> list[Band]:
    """
    Cut a band into smaller ones, the famous first; an empty list when it cannot be cut.

    By birth, people who were all born before `born_after` are left out; those without a birth date
    are not, so that they are counted.
    """
    if band.born is not None:
        first, end = band.born.first, band.born.end
        if first is None or end is None or end - first <= 1:
            return []
        return [replace(band, born=Born(year, year + 1)) for year in range(end - 1, first - 1, -1)]
    # In quarters: every question that is still too large costs the endpoint's whole time limit, one
    # that is small hardly anything.
    if band.high is None and band.low < TOP:
        ends = [max(band.low, 1) * factor for factor in (4, 2)]
    elif band.high is not None and band.high - band.low > 1:
        step = math.ceil((band.high - band.low) / 4)
        ends = list(reversed(range(band.low + step, band.high, step)))
    else:
        return [replace(band, born=born) for born in _births(born_after)]
    return [
        Band(low, high) for low, high in zip((*ends, band.low), (band.high, *ends), strict=True)
    ]


def _births(born_after: date | None) -> Iterator[Born]:
    earliest = FIRST_DECADE if born_after is None else max(FIRST_DECADE, born_after.year // 10 * 10)
    newest = datetime.now(UTC).year // 10 * 10
    yield Born(max(newest, earliest), None)
    for decade in range(newest - 10, earliest - 1, -10):
        yield Born(decade, decade + 10)
    if born_after is None or born_after.year < FIRST_DECADE:
        yield Born(None, FIRST_DECADE)
    yield Born()
