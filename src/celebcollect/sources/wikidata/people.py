"""Find famous people in Wikidata, or in any SPARQL endpoint that holds a part of it.

Bands of fame from high to low name the people (all occupations asked for, one after the other),
details come in batches from the most to the least famous, until every occupation has its number of
people. A finished batch is a checkpoint.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from celebcollect.catalogue.base import Notes
from celebcollect.domain.batches import batches
from celebcollect.domain.errors import SourceBlocked, SourceError, UsageError
from celebcollect.domain.records import Celebrity
from celebcollect.domain.tally import Tally
from celebcollect.sources.wikidata import queries
from celebcollect.sources.wikidata.answers import QueryTooHeavy, Row
from celebcollect.sources.wikidata.ban import Ban
from celebcollect.sources.wikidata.bands import Band, bands, split
from celebcollect.sources.wikidata.dialect import find_dialect
from celebcollect.sources.wikidata.endpoint import Endpoint
from celebcollect.sources.wikidata.facts import Facts
from celebcollect.sources.wikidata.occupations import Occupations
from celebcollect.sources.wikidata.progress import Fresh, Progress
from celebcollect.sources.wikidata.queries import Dialect
from celebcollect.sources.wikidata.redirects import merged_into
from celebcollect.sources.wikidata.search import Search
from celebcollect.sources.wikidata.seeds import Seed, read_seeds
from celebcollect.sources.wikidata.settings import WikidataConfig

log = logging.getLogger(__name__)

BATCH = 150
"""People per details query: some 6,000 rows, which the public endpoints answer in a second or
two."""

CLASSES = 500
"""Occupations per seed query: `politician` has thousands of subclasses."""

HEAVY_IN_A_ROW = 8
"""Timeouts without any answer in between that mean the endpoint is down; cutting a band down to a
birth year takes at most six."""


class Wikidata:
    """
    The source of people. To be used by one thread; it sends one request at a time.

    What it leaves out is counted on `tally`: `no_name`, `born_before`, `unknown_birth`,
    `duplicate_item` (people), `not_a_photograph`, `bad_imdb_id`, `bad_tmdb_id`, `bad_value`
    (values). Its counts are `people`, `people_before` (found by the run that it goes on with),
    `several_births`, `requests`, `retries`, `throttled` and `timeouts`.
    """

    name = "wikidata"

    def __init__(
        self,
        settings: WikidataConfig,
        *,
        user_agent: str,
        tally: Tally,
        notes: Notes,
        wait: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._tally = tally
        self._notes = notes
        self._endpoint = Endpoint(
            settings, user_agent=user_agent, tally=tally, wait=wait, clock=clock
        )
        self._ban = Ban(notes, settings.endpoint, shown=self._endpoint.shown, user_agent=user_agent)
        self._fresh = Fresh(notes, settings.endpoint)
        self._languages = tuple(dict.fromkeys((settings.language, "mul", "en")))
        self._heavy_in_a_row = 0

    def people(
        self, occupations: Sequence[str] | None = None, limit: int | None = None
    ) -> Iterator[list[Celebrity]]:
        """
        Yield people, the most famous first, in batches of at most 150.

        Up to `limit` per occupation (QID or name).

        Save each batch before asking for the next one: asking writes the checkpoint that covers it,
        and a process that dies in between gets the batch again. A search that was not finished goes
        on where it stopped, if the same is asked.

        Raises:
            UsageError: An occupation that Wikidata does not know, or knows several of.
            SourceBlocked: Wikidata throttles or has banned us; `until` says for how long, and until
                then it is not asked again.
            SourceError: The endpoint cannot be reached, refuses us, or does not get done.
        """
        self._ban.check()
        try:
            yield from self._people(occupations, limit)
        except SourceBlocked as blocked:
            self._ban.remember(blocked)
            raise

    def probe(self) -> None:
        """
        Ask the endpoint for nothing in particular.

        Raises:
            SourceBlocked: We are to stay away.
            SourceError: It cannot be reached, or what answers is no SPARQL endpoint.
        """
        self._ban.check()
        self._endpoint.select_stubbornly("SELECT ?one WHERE { VALUES ?one { 1 } }")

    def merged_into(self, qids: Collection[str]) -> dict[str, str]:
        """Return into which item each of these was merged; raises what `people` raises."""
        self._ban.check()
        try:
            return merged_into(self._endpoint.select_stubbornly, qids)
        except SourceBlocked as blocked:
            self._ban.remember(blocked)
            raise

    def _people(self, asked: Sequence[str] | None, limit: int | None) -> Iterator[list[Celebrity]]:
        limit = self._settings.limit if limit is None else limit
        if limit < 1:
            raise UsageError(
                f"the limit of people per occupation must be at least 1, not {limit}",
                hint="Set wikidata.limit or --limit to 1 or more.",
            )
        occupations = Occupations(self._endpoint, self._fresh, self._languages)
        wanted = occupations.resolve(self._settings.occupations if asked is None else asked)
        chosen_dialect = self._settings.dialect
        dialect: Dialect = (
            find_dialect(self._endpoint, self._fresh, wanted)
            if chosen_dialect == "auto"
            else chosen_dialect
        )
        classes = {occupation: occupations.subclasses(occupation) for occupation in wanted}
        order = {
            qid: rank
            for rank, qid in enumerate(
                dict.fromkeys(qid for below in classes.values() for qid in below)
            )
        }
        progress = Progress(self._notes, self._fingerprint(wanted, limit))
        if progress.people:
            self._tally.count("people_before", progress.people)
        search = Search(
            wanted, limit, progress, born_after=self._settings.born_after, tally=self._tally
        )
        nobody = progress.below is None
        for band in bands(self._settings.min_sitelinks, below=progress.below):
            if not search.open:
                break
            seeds: dict[str, Seed] = {}
            for occupation in search.open:
                for group in batches(classes[occupation], CLASSES):
                    self._seed(dialect, occupation, group, band, seeds)
            nobody = nobody and not seeds
            search.take(seeds.values())
            for batch in self._batches(search, order):
                if batch:
                    yield batch
                search.checkpoint(band.low, batch)
            search.checkpoint(band.low, [])
            log.info("band done band=%s named=%d open=%s", band, len(seeds), ",".join(search.open))
        if nobody and self._settings.dialect == "auto":
            self._fresh.forget("dialect")
        progress.finish()

    def _batches(self, search: Search, order: Mapping[str, int]) -> Iterator[list[Celebrity]]:
        """Yield those who are chosen, batch by batch; some batches are empty."""
        while chosen := search.choose(BATCH):
            qids = [seed.qid for seed in chosen]
            facts = Facts(
                self._details(qids), qids, languages=self._languages, order=order, tally=self._tally
            )
            batch = search.admit(chosen, facts)
            if batch:
                self._tally.count("people", len(batch))
            yield batch

    def _fingerprint(self, wanted: Sequence[str], limit: int) -> dict[str, Any]:
        """
        Return everything that decides who is found.

        A search goes on only where the same was asked for.
        """
        born_after = self._settings.born_after
        return {
            "version": 1,
            "endpoint": self._settings.endpoint,
            "occupations": list(wanted),
            "born_after": born_after.isoformat() if born_after else None,
            "min_sitelinks": self._settings.min_sitelinks,
            "limit": limit,
            "language": self._settings.language,
        }

    def _seed(
        self,
        dialect: Dialect,
        occupation: str,
        classes: Sequence[str],
        band: Band,
        seeds: dict[str, Seed],
    ) -> None:
        """Add the people of a band to `seeds`, in parts where the whole is too much to ask."""
        born_after = self._settings.born_after
        try:
            rows = self._select(queries.seed(dialect, classes, band, births=born_after is not None))
        except QueryTooHeavy as error:
            self._count_heavy(error)
            parts = split(band, born_after=born_after) or [band]
            log.info("band too heavy occupation=%s band=%s parts=%d", occupation, band, len(parts))
            for part in parts:
                self._seed(dialect, occupation, classes, part, seeds)
        else:
            read_seeds(rows, occupation, seeds, self._tally)

    def _details(self, qids: Sequence[str]) -> list[Row]:
        """Return the facts of people, in parts where the endpoint cannot answer for all of them."""
        try:
            return self._select(queries.details(qids, self._languages))
        except QueryTooHeavy as error:
            self._count_heavy(error)
            return [
                row
                for part in batches(qids, math.ceil(len(qids) / 4))
                for row in self._details(part)
            ]

    def _select(self, query: str) -> list[Row]:
        rows = self._endpoint.select(query)
        self._heavy_in_a_row = 0
        return rows

    def _count_heavy(self, error: QueryTooHeavy) -> None:
        self._heavy_in_a_row += 1
        if self._heavy_in_a_row >= HEAVY_IN_A_ROW:
            raise SourceError(
                f"{self._endpoint.shown} does not get done, however small the question",
                hint=error.hint,
            ) from error
