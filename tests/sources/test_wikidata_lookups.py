"""The Wikidata source's look-ups before it asks for people.

The endpoint's dialect, occupations by name, their subclasses.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from celebcollect.domain.errors import UsageError
from sources.sparql_server import SparqlServer
from sources.wikidata_world import DUMP, FILM_ACTOR, PEOPLE, World

COMMONS = "https://commons.wikimedia.org/wiki/Special:FilePath/"


@pytest.fixture(scope="module")
def endpoint(shared_data: Path) -> Iterator[SparqlServer]:
    """An endpoint with the recorded people."""
    with SparqlServer(PEOPLE) as server:
        yield server


@pytest.mark.parametrize("dialect", ["auto", "qlever"])
def test_reads_the_dump_form(shared_data: Path, dialect: str) -> None:
    """
    In the entity dump (QLever's form) the sitelinks are on the `data:` node.

    `auto` finds that out.
    """
    with SparqlServer(DUMP) as server:
        found = World(server.url, dialect=dialect).people("Q36180")

    adams = found["Q42"]
    assert (adams.sitelinks, adams.name, adams.births) == (122, "Douglas Adams", ("1952-03-11",))
    assert (adams.tmdb_ids, adams.imdb_ids, adams.commons_category) == (
        ("52843",),
        ("nm0010930",),
        "Douglas Adams",
    )
    assert adams.portraits == (f"{COMMONS}Douglas%20adams%20portrait%20cropped.jpg",)


def test_remembers_the_dialect_and_the_subclasses(shared_data: Path) -> None:
    """A second search asks neither which form the endpoint has nor for the subclasses again."""
    with SparqlServer(DUMP) as server:
        first = World(server.url)
        first.people("Q36180")
        before = len(server.asked)
        World(server.url, notes=first.notes).people("Q36180")
        again = server.asked[before:]

    note = first.notes.note("wikidata/dialect")
    assert note is not None
    assert note["values"] == ["qlever"]
    assert not [asked for asked in again if "?form" in asked.query or "P279*" in asked.query]


def test_takes_an_occupation_by_name(endpoint: SparqlServer) -> None:
    """A name stands for the occupation of that label, whatever its case."""
    by_name, by_qid = (
        World(endpoint.url).people("Film Actor"),
        World(endpoint.url).people(FILM_ACTOR),
    )

    assert by_name == by_qid
    assert "Q42" in World(endpoint.url).people("writer", "q36180")


def test_takes_a_name_that_is_nobodys_occupation_yet(endpoint: SparqlServer) -> None:
    """A class that nobody has as occupation is found by name all the same; here it means nobody."""
    assert World(endpoint.url).people("voice actor") == {}


@pytest.mark.parametrize("name", ["wizard", 'x" . } #', "back\\u0022slash", "a\nb", "w" * 500])
def test_refuses_an_unknown_occupation(endpoint: SparqlServer, name: str) -> None:
    """A name without an item is a usage error, also when it looks like SPARQL."""
    with pytest.raises(UsageError, match="no occupation called"):
        World(endpoint.url).people(name)


def test_lists_the_meanings_of_an_ambiguous_name(shared_data: Path) -> None:
    """Two occupations of one name are listed with what they are."""
    twice = (
        PEOPLE.read_text()
        + 'wd:Q700 rdfs:label "singer"@en ; schema:description "of a sewing machine"@en . wd:Q701'
        " wdt:P106 wd:Q700 ."
    )
    with (
        SparqlServer(twice) as server,
        pytest.raises(
            UsageError,
            match=r'"singer" means several things: Q700 \(of a sewing machine\), Q177220',
        ),
    ):
        World(server.url).people("singer")


@pytest.mark.parametrize("occupations", [[], ["  "]])
def test_refuses_to_look_for_nothing(endpoint: SparqlServer, occupations: list[str]) -> None:
    """No occupation at all is a usage error."""
    with pytest.raises(UsageError, match="no occupation"):
        next(World(endpoint.url).source.people(occupations))


def test_finds_nobody_in_an_endpoint_that_is_not_wikidata() -> None:
    """An empty endpoint yields nobody, and what was found out about it is not kept."""
    with SparqlServer("") as server:
        world = World(server.url)
        found = world.people()

    assert found == {}
    assert world.tally["people"] == 0
    assert world.notes.note("wikidata/dialect") is None


def test_does_not_send_a_name_with_a_backslash(shared_data: Path) -> None:
    """
    No label has a backslash, and some engines unescape before they parse.

    Such a name is refused without a request.
    """
    with SparqlServer(PEOPLE) as server, pytest.raises(UsageError, match="no occupation called"):
        World(server.url).people("actor\\u0022@en } #")

    assert server.asked == []
