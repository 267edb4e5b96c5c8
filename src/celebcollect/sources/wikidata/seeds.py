"""Those whom a band of fame named, before anything else is known of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from celebcollect.domain.tally import Tally
from celebcollect.sources.wikidata.answers import Row
from celebcollect.sources.wikidata.reasons import WikidataReason
from celebcollect.sources.wikidata.values import Day, qid_of, read_day

_SITELINKS = re.compile(r"\d{1,6}")


@dataclass(slots=True)
class Seed:
    """Somebody whom a band of fame named, before anything else is known."""

    qid: str
    sitelinks: int
    occupations: set[str] = field(default_factory=set)
    """Of those asked for, under which the person was found."""
    births: set[Day] = field(default_factory=set)


def read_seeds(rows: Iterable[Row], occupation: str, seeds: dict[str, Seed], tally: Tally) -> None:
    """Add the people that one seed query named to `seeds`."""
    for row in rows:
        qid, sitelinks = qid_of(row.get("person")), row.get("sitelinks")
        if not qid or sitelinks is None or not _SITELINKS.fullmatch(sitelinks.value):
            tally.drop(WikidataReason.BAD_VALUE)
            continue
        seed = seeds.setdefault(qid, Seed(qid, int(sitelinks.value)))
        seed.occupations.add(occupation)
        birth = row.get("birth")
        if birth and (day := read_day(birth, tally)):
            seed.births.add(day)


def too_old(seed: Seed, born_after: date) -> WikidataReason | None:
    """
    Return why somebody is not surely born on that day or later, or None.

    The earliest of several births counts.
    """
    if not seed.births:
        return WikidataReason.UNKNOWN_BIRTH
    return (
        WikidataReason.BORN_BEFORE
        if min(seed.births) < (born_after.year, born_after.month, born_after.day)
        else None
    )
