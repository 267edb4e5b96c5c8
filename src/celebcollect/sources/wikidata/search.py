"""Keep account of one search.

Who is waiting to be looked at, how many each occupation still needs, who is somebody else's
duplicate.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from celebcollect.domain.records import Celebrity
from celebcollect.domain.tally import Tally
from celebcollect.sources.wikidata.facts import Facts
from celebcollect.sources.wikidata.progress import Progress, keys_of
from celebcollect.sources.wikidata.reasons import WikidataReason
from celebcollect.sources.wikidata.seeds import Seed, too_old

log = logging.getLogger(__name__)


class Search:
    """
    The people of one search by fame.

    A person counts for every occupation under which he or she was found.

    Bands must be taken from the top: of two items with one TMDB or IMDb id, the more famous one
    comes first and is the person.
    """

    def __init__(
        self,
        occupations: Sequence[str],
        limit: int,
        progress: Progress,
        *,
        born_after: date | None,
        tally: Tally,
    ) -> None:
        self._occupations = occupations
        self._limit = limit
        self._progress = progress
        self._born_after = born_after
        self._tally = tally
        self._found = Counter(progress.found)
        self._covered = Counter(progress.found)
        self._people_covered = progress.people
        self._uncovered: list[Seed] = []
        """Found, but less famous than the last checkpoint says."""
        self._waiting: list[Seed] = []
        self._seen: set[str] = set()
        self._twins = progress.twins

    @property
    def open(self) -> list[str]:
        """Return the occupations that still need people."""
        return [
            occupation for occupation in self._occupations if self._found[occupation] < self._limit
        ]

    def take(self, seeds: Iterable[Seed]) -> None:
        """Queue the people of a band."""
        # sitelinks may change while we ask: somebody may slip into the next band
        new = [seed for seed in seeds if seed.qid not in self._seen]
        self._seen.update(seed.qid for seed in new)
        self._waiting = sorted(new, key=lambda seed: (-seed.sitelinks, int(seed.qid[1:])))

    def choose(self, size: int) -> list[Seed]:
        """
        Take up to `size` people off the queue, by fame.

        As many as are needed if all of them turn out well.

        Empty when nobody in the queue is needed. Those who were born too early, or nobody knows
        when, are counted and left out.
        """
        hoped = self._found.copy()
        chosen: list[Seed] = []
        left: list[Seed] = []
        for seed in self._waiting:
            if len(chosen) == size or not self._needs(seed, hoped):
                left.append(seed)
            elif self._born_after and (reason := too_old(seed, self._born_after)):
                self._tally.drop(reason)
            else:
                chosen.append(seed)
                hoped.update(seed.occupations)
        self._waiting = left if chosen else []
        return chosen

    def admit(self, chosen: Sequence[Seed], facts: Facts) -> list[Celebrity]:
        """
        Return the people behind the chosen.

        Left out are those without a name, and less famous items about somebody known.
        """
        batch: list[Celebrity] = []
        for seed in chosen:
            person = facts.person(seed)
            if person is None:
                continue
            keys = keys_of(person)
            twin = next(
                ((key, qid) for key in keys if (qid := self._twins.get(key, seed.qid)) != seed.qid),
                None,
            )
            if twin:
                self._tally.drop(WikidataReason.DUPLICATE_ITEM)
                log.warning(
                    "two items about one person qid=%s kept=%s same=%s", seed.qid, twin[1], twin[0]
                )
                continue
            self._twins.update(dict.fromkeys(keys, seed.qid))
            self._found.update(seed.occupations)
            self._uncovered.append(seed)
            batch.append(person)
        return batch

    def checkpoint(self, low: int, batch: Iterable[Celebrity]) -> None:
        """
        Write how far the search has come in the band from `low` on.

        `batch` is in the catalogue.
        """
        # People of the same fame may still be waiting, so the line is drawn above the first who
        # waits.
        below = self._waiting[0].sitelinks + 1 if self._waiting else low
        for seed in self._uncovered:
            if seed.sitelinks >= below:
                self._covered.update(seed.occupations)
                self._people_covered += 1
        self._uncovered = [seed for seed in self._uncovered if seed.sitelinks < below]
        self._progress.save(below, found=self._covered, people=self._people_covered, batch=batch)

    def _needs(self, seed: Seed, found: Counter[str]) -> bool:
        return any(found[occupation] < self._limit for occupation in seed.occupations)
