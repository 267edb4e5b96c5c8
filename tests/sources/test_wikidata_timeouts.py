"""The Wikidata source against an endpoint that does not finish.

Every form of a timeout, and how questions get smaller.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from celebcollect.domain.errors import SourceBlocked, SourceError
from celebcollect.sources.wikidata.bands import bands
from sources.sparql_server import Reply, SparqlServer
from sources.wikidata_world import World, crowd, error_body

TIMEOUT_500 = "wdqs_500_timeout.txt"
CUT_200 = "wdqs_200_truncated_timeout.json"
CROWD = crowd(range(8), sitelinks={number: 40 + number for number in range(8)})
EVERYBODY = {f"Q900{number:06d}" for number in range(8)}


# A timeout in each of its forms.
HEAVY = {
    "500 with a trace": lambda: Reply(500, error_body(TIMEOUT_500)),
    "200 cut by a trace": lambda: Reply(200, error_body(CUT_200)),
    "200 with too few bytes": lambda: Reply(
        200, b'{"head": {"vars": ["person"]}, "results": {"bindings": [', cut=True
    ),
    "200 without a body": lambda: Reply(200, b""),
    "no answer": lambda: Reply(200, b"{}", delay_s=3),
    "an answer that drips": lambda: Reply(200, b'{"head":' + b" " * 100, drip_s=0.2),
    "QLever's 429": lambda: Reply(
        429,
        b'{"exception": "Operation timed out. Last operation: Join on ?person", "status": "ERROR"}',
    ),
    "QLever's 500": lambda: Reply(
        500,
        b'{"exception": "Tried to allocate 4 GB, but only 2 GB were available", "status": "ERROR"}',
    ),
}


@pytest.mark.parametrize("form", HEAVY)
def test_splits_a_band_at_a_timeout_in_any_form(shared_data: Path, form: str) -> None:
    """
    A band that times out is asked for in parts.

    Everybody comes once, and nothing is waited for as if we had been throttled.
    """
    reply = HEAVY[form]()

    with SparqlServer(
        CROWD, fault=lambda query: reply if "?sitelinks >= 40 && ?sitelinks < 50" in query else None
    ) as server:
        world = World(server.url, timeout_s=1)
        found = world.people()

    assert set(found) == EVERYBODY
    assert world.tally["timeouts"] == 1
    heavy = next(at for at, asked in enumerate(server.asked) if "?sitelinks < 50)" in asked.query)
    # a dripping answer would take 20 s
    assert server.asked[heavy + 1].started - server.asked[heavy].started < 15
    assert [
        part
        for asked in server.asked
        for part in ("< 43", "< 46", "< 49", "< 50")
        if f"?sitelinks {part})" in asked.query
    ] == [
        "< 50",  # too heavy
        "< 50",  # the parts, the famous first
        "< 49",
        "< 46",
        "< 43",
    ]
    assert world.tally["retries"] == 0


def test_splits_a_single_number_of_sitelinks_by_birth(shared_data: Path) -> None:
    """
    Where one number of sitelinks is too much, people come by decade and year of birth.

    Those without a date come last.
    """
    undated = (
        'wd:Q77 wdt:P31 wd:Q5 ; wdt:P106 wd:Q33999 ; wikibase:sitelinks 50 ; rdfs:label "Nobody'
        ' knows when"@en ; wdt:P569 [] .'
    )
    old = (
        'wd:Q78 wdt:P31 wd:Q5 ; wdt:P106 wd:Q33999 ; wikibase:sitelinks 50 ; rdfs:label "Old"@en ;'
        ' wdt:P569 "-0400-01-01T00:00:00Z"^^xsd:dateTime .'
    )
    seventies = (
        '?born >= "1970-01-01T00:00:00Z"^^xsd:dateTime && ?born <'
        ' "1980-01-01T00:00:00Z"^^xsd:dateTime'
    )

    def too_heavy(query: str) -> Reply | None:
        all_births = "?sitelinks >= 50 &&" in query and "P569" not in query
        return Reply(500, error_body(TIMEOUT_500)) if all_births or seventies in query else None

    with SparqlServer(crowd(range(3)) + undated + old, fault=too_heavy) as server:
        world = World(server.url)
        found = world.people()

    assert set(found) == {"Q900000000", "Q900000001", "Q900000002", "Q77", "Q78"}
    assert any(
        '?born >= "1975-01-01' in asked.query and '?born < "1976-01-01' in asked.query
        for asked in server.asked
    )
    assert world.tally["timeouts"] == 5  # 50..69, 50..54, 50..51, 50, and the seventies of 50


def test_splits_the_details_too(shared_data: Path) -> None:
    """Details that time out are asked for in smaller batches."""
    with SparqlServer(
        CROWD,
        fault=lambda query: (
            Reply(200, error_body(CUT_200)) if query.count("wd:Q900") > 3 * 2 else None
        ),
    ) as server:
        found = World(server.url).people()

    assert set(found) == EVERYBODY
    assert all(person.name for person in found.values())


def test_gives_up_on_an_endpoint_that_only_times_out(shared_data: Path) -> None:
    """
    Splitting ends: after some timeouts in a row the endpoint is said to be down.

    The rest is not asked.
    """
    trace = Reply(500, error_body(TIMEOUT_500))

    with (
        SparqlServer(CROWD, fault=lambda query: trace if "P31" in query else None) as server,
        pytest.raises(SourceError, match=r"127\.0\.0\.1:\d+/sparql does not get done") as failure,
    ):
        World(server.url, dialect="wdqs").people()

    assert not isinstance(failure.value, SourceBlocked)
    assert len(server.asked) == 1 + 8  # the subclasses, then one after the other


def test_goes_on_while_there_are_answers_in_between(shared_data: Path) -> None:
    """
    Many bands may be too heavy as a whole.

    Only timeouts without any answer in between mean that the endpoint is down.
    """
    whole = [
        f"?sitelinks >= {band.low} && ?sitelinks < {band.high})"
        for band in bands(0)
        if band.high and band.high - band.low > 1
    ]
    trace = Reply(500, error_body(TIMEOUT_500))

    with SparqlServer(
        CROWD, fault=lambda query: trace if any(band in query for band in whole) else None
    ) as server:
        world = World(server.url)
        found = world.people()

    assert set(found) == EVERYBODY
    assert world.tally["timeouts"] == len(whole) > 8
