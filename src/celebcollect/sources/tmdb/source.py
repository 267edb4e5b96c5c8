"""The Movie Database (TMDB), API version 3: portraits of people whose identity is proved.

Terms: `sources.tmdb.terms`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from itertools import islice

from celebcollect.config.sections import HttpConfig
from celebcollect.domain.errors import Interrupted
from celebcollect.domain.records import Celebrity, ImageCandidate, now
from celebcollect.domain.tally import Tally
from celebcollect.sources.base import PersonNotSearched
from celebcollect.sources.tmdb import api
from celebcollect.sources.tmdb.client import TmdbClient
from celebcollect.sources.tmdb.reasons import TmdbReason
from celebcollect.sources.tmdb.settings import TmdbConfig
from celebcollect.sources.tmdb.terms import TERMS
from celebcollect.web.rate_limiter import Wait

log = logging.getLogger(__name__)

PERSON_PAGE = "https://www.themoviedb.org/person/{}"
MAX_PAGES = 500
"""TMDB refuses higher page numbers with code 22."""
PER_PAGE = 20
NAMESAKES = 2
"""How many hits of a search by name are looked at; each costs a request."""


class Tmdb:
    """
    Finds portraits on TMDB.

    One request for a person whose TMDB id is known, two by IMDb id, two or three by name.

    May be used by several threads. When `wait` says that the work is to stop, iterators just end.
    """

    name = "tmdb"

    def __init__(
        self,
        settings: TmdbConfig,
        http: HttpConfig,
        *,
        topic: str,
        tally: Tally,
        wait: Wait | None = None,
    ) -> None:
        """
        Check the token; nothing is sent yet.

        Raises:
            SourceError: There is no token.
            ConfigError: The token cannot be one.
        """
        self.topic = topic
        self._size = settings.image_size
        self._tally = tally
        self._client = TmdbClient(settings, http, tally=tally, wait=wait)

    def candidates(self, person: Celebrity, limit: int) -> Iterator[ImageCandidate]:
        """
        Yield at most `limit` portraits of the person.

        The one that TMDB shows first comes first, then the best voted.

        Nothing is yielded for somebody whose identity is not proved by Wikidata id, IMDb id or
        birthday.

        Raises:
            SourceBlocked: TMDB is under maintenance, offline or wants us to stay away.
            PersonNotSearched: TMDB works, but not for this person now.
            SourceError: TMDB refuses the token, cannot be reached or does not work for anybody.
        """
        try:
            if limit > 0:
                yield from self._candidates(person, limit)
        except Interrupted:
            return

    def popular(self, n: int) -> Iterator[Celebrity]:
        """
        Yield those of TMDB's `n` most popular people (at most 10,000) whom Wikidata knows.

        It takes one request each and one per 20.

        Only name, birthday and ids are known of them. Raises as `candidates` does.
        """
        seen: set[str] = set()
        try:
            for row in islice(self._popular_rows(), n):
                if row.adult:
                    self._tally.drop(TmdbReason.ADULT)
                    continue
                try:
                    for found in self._client.ask(
                        f"/person/{row.id}", api.Person, append_to_response="external_ids"
                    ):
                        yield from self._celebrity(found, seen)
                except PersonNotSearched:
                    continue  # counted
        except Interrupted:
            return

    def probe(self) -> None:
        """
        Ask TMDB for its configuration, once.

        Raises SourceError when the token is refused or nobody answers.
        """
        self._client.picture_base()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _candidates(self, person: Celebrity, limit: int) -> Iterator[ImageCandidate]:
        tried: set[int] = set()
        for ids in (self._known_ids(person), self._ids_by_imdb(person), self._ids_by_name(person)):
            somebody = False
            for found in self._people(ids, tried):
                somebody = True
                if not api.is_same(found, person):
                    log.debug("not proved qid=%s tmdb_id=%d", person.qid, found.id)
                elif found.adult:
                    self._tally.drop(TmdbReason.ADULT)  # their portraits are no portraits at times
                    return
                else:
                    yield from self._portraits(found, person, limit)
                    return
            if somebody:  # whoever has an id that leads to somebody else is not looked for by name
                self._tally.drop(TmdbReason.IDENTITY_UNPROVED)
                return
        self._tally.drop(TmdbReason.NOT_FOUND)

    def _known_ids(self, person: Celebrity) -> Iterator[int]:
        for text in person.tmdb_ids:
            if re.fullmatch(r"[0-9]{1,10}", text):
                yield int(text)
            else:
                self._tally.drop(TmdbReason.BAD_ID)

    def _ids_by_imdb(self, person: Celebrity) -> Iterator[int]:
        for imdb_id in person.imdb_ids:
            if api.IMDB_ID.fullmatch(imdb_id):
                for found in self._client.ask(
                    f"/find/{imdb_id}", api.FindResult, external_source="imdb_id"
                ):
                    yield from (row.id for row in found.person_results)

    def _ids_by_name(self, person: Celebrity) -> Iterator[int]:
        names = {name.casefold() for name in (person.name, *person.aliases)}
        for page in self._client.ask(
            "/search/person", api.PeoplePage, query=person.name, include_adult="false"
        ):
            # People of exactly this name first; equals in TMDB's order.
            hits = sorted(
                page.results,
                key=lambda row: (
                    not names & {(row.name or "").casefold(), (row.original_name or "").casefold()}
                ),
            )
            yield from (row.id for row in hits[:NAMESAKES])

    def _people(self, ids: Iterator[int], tried: set[int]) -> Iterator[api.Person]:
        for tmdb_id in ids:
            if tmdb_id not in tried:
                tried.add(tmdb_id)
                yield from self._client.ask(
                    f"/person/{tmdb_id}", api.Person, append_to_response="images,external_ids"
                )

    def _portraits(
        self, found: api.Person, person: Celebrity, limit: int
    ) -> Iterator[ImageCandidate]:
        profiles, bad = api.best_first(found)
        if bad:
            self._tally.drop(TmdbReason.UNREADABLE_PICTURE, bad)
        if not profiles:
            self._tally.drop(TmdbReason.NO_PICTURE)
            return
        base = self._client.picture_base()
        for rank, profile in enumerate(profiles[:limit]):
            width_px, height_px = self._side_lengths(profile)
            yield ImageCandidate(
                schema_version=1,
                qid=person.qid,
                name=person.name,
                url=f"{base}{profile.file_path}",
                source=self.name,
                profession=next(iter(person.professions), None),
                rank=rank,
                page_url=PERSON_PAGE.format(found.id),
                page_title=found.name,
                licence=TERMS.name,
                licence_url=TERMS.url,
                width_px=width_px,
                height_px=height_px,
                found_at=now(),
            )

    def _side_lengths(self, profile: api.TmdbPortrait) -> tuple[int | None, int | None]:
        if self._size == "h632" and profile.width and profile.height and profile.height > 632:
            return max(1, round(profile.width * 632 / profile.height)), 632
        return profile.width, profile.height

    def _popular_rows(self) -> Iterator[api.PersonRow]:
        seen: set[int] = set()
        for number in range(1, MAX_PAGES + 1):
            total_pages, new = 0, []
            for page in self._client.ask("/person/popular", api.PeoplePage, page=number):
                total_pages = page.total_pages
                # the list moves while we read it
                new = [row for row in page.results if row.id not in seen]
            seen.update(row.id for row in new)
            yield from new
            if not new or number >= total_pages:
                return

    def _celebrity(self, found: api.Person, seen: set[str]) -> Iterator[Celebrity]:
        qid = found.external_ids.wikidata_id
        if found.adult:
            self._tally.drop(TmdbReason.ADULT)
        elif not qid:
            self._tally.drop(TmdbReason.NO_WIKIDATA_ID)
        elif qid in seen:
            self._tally.drop(TmdbReason.DUPLICATE)
        else:
            seen.add(qid)
            try:
                yield api.celebrity(found, origin=self.name)
            except ValueError:
                self._tally.drop(TmdbReason.UNREADABLE)
