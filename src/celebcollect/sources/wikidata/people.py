"""Find famous people in Wikidata, or in any SPARQL endpoint that holds a part of it.

Bands of fame from high to low name the people (all occupations asked for, one after the other),
details come in batches from the most to the least famous, until every occupation has its number of
people. A finished batch is a checkpoint.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from celebcollect.catalogue.base import Notes
from celebcollect.domain.errors import SourceBlocked, SourceError, UsageError
from celebcollect.domain.records import Celebrity, now
from celebcollect.domain.tally import Tally
from celebcollect.sources.wikidata import queries
from celebcollect.sources.wikidata.answers import QueryTooHeavy, Row
from celebcollect.sources.wikidata.bands import Band, bands, split
from celebcollect.sources.wikidata.endpoint import Endpoint
from celebcollect.sources.wikidata.facts import Facts, Seed, read_seeds
from celebcollect.sources.wikidata.occupations import Occupations
from celebcollect.sources.wikidata.progress import Fresh, Progress
from celebcollect.sources.wikidata.queries import Dialect
from celebcollect.sources.wikidata.search import Search
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

DIALECT_VALID_FOR = timedelta(days=7)
"""Wikidata is about to change its engine, so what was found out is not kept for long."""


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
        self._user_agent = user_agent
        self._tally = tally
        self._notes = notes
        self._endpoint = Endpoint(
            settings, user_agent=user_agent, tally=tally, wait=wait, clock=clock
        )
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
        self._stay_away()
        try:
            yield from self._people(occupations, limit)
        except SourceBlocked as blocked:
            if blocked.until:
                self._notes.set_note(
                    "wikidata/blocked",
                    {
                        "endpoint": self._settings.endpoint,
                        "agent": self._user_agent,
                        "until": blocked.until.isoformat(),
                    },
                )
            raise

    def probe(self) -> None:
        """
        Ask the endpoint for nothing in particular.

        Raises:
            SourceBlocked: We are to stay away.
            SourceError: It cannot be reached, or what answers is no SPARQL endpoint.
        """
        self._stay_away()
        self._endpoint.select_stubbornly("SELECT ?one WHERE { VALUES ?one { 1 } }")

    def _stay_away(self) -> None:
        """
        Refuse to ask while we are blocked.

        A block is bound to the address and the User-Agent, as Wikidata's is.
        """
        note = self._notes.note("wikidata/blocked")
        if not note or (note.get("endpoint"), note.get("agent")) != (
            self._settings.endpoint,
            self._user_agent,
        ):
            return
        try:
            until = datetime.fromisoformat(str(note.get("until")))
            blocked = until > now()
        except (ValueError, TypeError):
            blocked = False
        if blocked:
            raise SourceBlocked(
                f"{self._endpoint.shown} has asked us to stay away until"
                f" {until:%Y-%m-%d %H:%M} UTC",
                hint="Run it again after that.",
                until=until,
            )
        self._notes.set_note("wikidata/blocked", None)

    def _people(self, asked: Sequence[str] | None, limit: int | None) -> Iterator[list[Celebrity]]:
        limit = self._settings.limit if limit is None else limit
        if limit < 1:
            raise UsageError(
                f"the limit of people per occupation must be at least 1, not {limit}",
                hint="Set wikidata.limit or --limit to 1 or more.",
            )
        occupations = Occupations(self._endpoint, self._fresh, self._languages)
        wanted = occupations.resolve(self._settings.occupations if asked is None else asked)
        dialect = self._dialect(wanted)
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
            while chosen := search.choose(BATCH):
                qids = [seed.qid for seed in chosen]
                facts = Facts(
                    self._details(qids),
                    qids,
                    languages=self._languages,
                    order=order,
                    tally=self._tally,
                )
                batch = search.admit(chosen, facts)
                if batch:
                    self._tally.count("people", len(batch))
                    yield batch
                search.checkpoint(band.low, batch)
            search.checkpoint(band.low, [])
            log.info("band done band=%s named=%d open=%s", band, len(seeds), ",".join(search.open))
        if nobody and self._settings.dialect == "auto":
            self._fresh.forget("dialect")
        progress.finish()

    def _dialect(self, wanted: Sequence[str]) -> Dialect:
        if self._settings.dialect != "auto":
            return self._settings.dialect
        known = self._fresh.get("dialect", DIALECT_VALID_FOR)
        if known is None:
            # Every item has a number of sitelinks, so famous ones tell it fastest; an endpoint with
            # a part of Wikidata may lack them.
            rows = self._endpoint.select_stubbornly(
                queries.probe(["Q5", "Q42", *wanted])
            ) or self._endpoint.select_stubbornly(queries.probe_anybody())
            forms = {row["form"].value for row in rows if "form" in row}
            known = [dialect for dialect in ("wdqs", "qlever") if dialect in forms]
            if known:
                self._fresh.put("dialect", known)
            else:
                log.warning(
                    "no human with sitelinks endpoint=%s: it does not look like Wikidata",
                    self._endpoint.shown,
                )
        return "qlever" if known[:1] == ["qlever"] else "wdqs"

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


def batches(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Cut a sequence into parts of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
