"""TMDB's popular people, and how many requests per person and second the source makes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from api_server import Reply
from celebcollect.domain.errors import SourceError
from celebcollect.sources.tmdb.settings import TmdbConfig
from sources.tmdb_world import TmdbWorld, celebrity, person


@pytest.fixture
def tmdb() -> Iterator[TmdbWorld]:
    """A TMDB that knows nobody."""
    with TmdbWorld() as world:
        yield world


def test_popular_people_are_those_whom_wikidata_knows(tmdb: TmdbWorld) -> None:
    """Popular people come with name, birthday and ids; others are counted by reason."""
    tmdb.popular(1, 2, 3, 4, 5, 6, 7)
    tmdb.people(
        person(1, name="Zoë Saldaña", wikidata_id="Q1", imdb_id="nm0000001", birthday="1978-06-19"),
        person(2, wikidata_id=""),
        person(3, wikidata_id="Q3", adult=True),
        person(4, wikidata_id="Q1"),
        person(5, wikidata_id="Q5; DROP"),
        person(6, wikidata_id="Q6", name="\u202e\x00"),
    )
    tmdb.server.on("/3/person/7", Reply({"id": "seven"}))

    (zoe,) = tmdb.source().popular(20)

    assert (zoe.qid, zoe.name, zoe.births, zoe.tmdb_ids, zoe.imdb_ids, zoe.origin) == (
        "Q1",
        "Zoë Saldaña",
        ("1978-06-19",),
        ("1",),
        ("nm0000001",),
        "tmdb",
    )
    assert tmdb.tally.reasons == {
        "tmdb_unreadable": 3,
        "no_wikidata_id": 1,
        "tmdb_adult": 1,
        "tmdb_duplicate": 1,
    }


def test_popular_reads_no_more_than_it_needs(tmdb: TmdbWorld) -> None:
    """
    N people take N requests and one per 20.

    People whom the list repeats on the next page are not asked for twice.
    """
    tmdb.popular(*range(1, 21), *range(15, 61))
    tmdb.people(*(person(number, wikidata_id=f"Q{number}") for number in range(1, 61)))

    found = list(tmdb.source().popular(25))

    assert [one.qid for one in found] == [f"Q{number}" for number in range(1, 26)]
    assert tmdb.server.paths().count("/3/person/popular") == 2
    assert len(tmdb.server.requests) == 27


def test_popular_ends_with_the_list(tmdb: TmdbWorld) -> None:
    """A list that is shorter than what is asked for ends quietly."""
    tmdb.popular(1, 2)
    tmdb.people(person(1, wikidata_id="Q1"), person(2, wikidata_id="Q2"))

    assert len(list(tmdb.source().popular(10_000))) == 2


@pytest.mark.slow
def test_popular_never_asks_beyond_page_500(tmdb: TmdbWorld) -> None:
    """TMDB's list has more pages than it shows; page 501 is not asked for."""
    tmdb.server.on(
        "/3/person/popular",
        lambda request: Reply(
            {"results": [{"id": int(request.query["page"]), "adult": True}], "total_pages": 242_774}
        ),
    )

    assert list(tmdb.source().popular(20_000)) == []
    assert [int(request.query["page"]) for request in tmdb.server.requests] == list(range(1, 501))
    assert tmdb.tally.reasons == {"tmdb_adult": 500}


def test_list_that_never_changes_ends(tmdb: TmdbWorld) -> None:
    """A server that gives the same page for ever is left after its second page."""
    tmdb.server.on(
        "/3/person/popular", Reply({"results": [{"id": 1}, {"id": "x"}, None], "total_pages": 500})
    )
    tmdb.people(person(1, wikidata_id="Q1"))

    assert len(list(tmdb.source().popular(100))) == 1
    assert len(tmdb.server.requests) == 3


def test_refused_token_ends_popular(tmdb: TmdbWorld) -> None:
    """A refused token is told, not counted."""
    tmdb.server.on("/3/person/popular", Reply({"status_code": 7}, 401))

    with pytest.raises(SourceError, match=r"tmdb\.token"):
        list(tmdb.source().popular(100))


@pytest.mark.slow
def test_thousand_people_take_thousand_requests(tmdb: TmdbWorld) -> None:
    """Where the TMDB ids are known, each person takes one request, and the whole run one more."""
    tmdb.people(
        *(person(number, wikidata_id=f"Q{number}", pictures=1) for number in range(1, 1001))
    )
    source = tmdb.source()

    found = [
        len(list(source.candidates(celebrity(f"Q{number}", tmdb_ids=(str(number),)), 20)))
        for number in range(1, 1001)
    ]

    assert found == [1] * 1000
    assert len(tmdb.server.requests) == 1001
    assert len(set(tmdb.server.paths())) == 1001
    assert tmdb.tally.counts == {"tmdb_requests": 1001}


def test_default_rate_as_tmdb_sees_it(tmdb: TmdbWorld) -> None:
    """With the default settings and work for several threads, TMDB gets at most 20 a second."""
    tmdb.people(*(person(number, wikidata_id=f"Q{number}", pictures=1) for number in range(1, 61)))
    source = tmdb.source(requests_per_s=TmdbConfig().requests_per_s, wait=sleep)
    before = monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda number: list(
                    source.candidates(celebrity(f"Q{number}", tmdb_ids=(str(number),)), 20)
                ),
                range(1, 61),
            )
        )

    assert len(tmdb.server.requests) == 61
    assert 60 / (monotonic() - before) <= 20
