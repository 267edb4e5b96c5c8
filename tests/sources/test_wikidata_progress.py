"""A search of the Wikidata source that is broken off goes on where it stopped.

It gives the same people as one that was not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from celebcollect.domain.errors import SourceError
from celebcollect.domain.records import Celebrity
from celebcollect.sources.wikidata import people as wikidata
from sources.sparql_server import Reply, SparqlServer
from sources.wikidata_world import FILM_ACTOR, SINGER, Notes, World, crowd

FAME = {0: 170, 1: 160, 2: 99, 3: 99, 4: 99, 5: 99, 6: 60, 7: 60, 8: 35, 9: 12, 10: 12, 11: 3}
# The same TMDB id as person 2, found much later; and a singer, so that there are two occupations.
TWIN = """
wd:Q901000002 wdt:P31 wd:Q5 ; wdt:P106 wd:Q33999 ; wikibase:sitelinks 3 ;
  rdfs:label "Person 2 again"@en ; wdt:P4985 "3" .
wd:Q902 wdt:P31 wd:Q5 ; wdt:P106 wd:Q177220 ; wikibase:sitelinks 98 ; rdfs:label "Singer"@en .
"""
FOLK = crowd(range(12), sitelinks=FAME) + TWIN
EVERYBODY = {f"Q900{number:06d}" for number in range(12)} | {"Q902"}
BOTH: dict[str, Any] = {"occupations": ("Q33999", SINGER)}


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a batch be three people, so that a dozen make several."""
    monkeypatch.setattr(wikidata, "BATCH", 3)


def saved(world: World, catalogue: dict[str, Celebrity]) -> None:
    """Search, and keep each batch at once as a caller must; stop where the endpoint fails."""
    try:
        for batch in world.source.people():
            catalogue.update({person.qid: person for person in batch})
    except SourceError:
        pass


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "number"), [(4, 5), (6, 7), (100, 13)])
def test_gives_the_same_people_wherever_it_is_broken_off(limit: int, number: int) -> None:
    """
    A failure at any request and a second run make the same people as one run.

    No duplicates slip through.
    """
    with SparqlServer(FOLK) as server:
        whole = World(server.url, limit=limit, **BOTH).people()
        requests = len(server.asked)
        for broken_at in range(requests):
            notes, catalogue = Notes(), dict[str, Celebrity]()
            server.faults = [*[None] * broken_at, Reply(400, b"broken off")]
            saved(World(server.url, notes=notes, limit=limit, **BOTH), catalogue)
            saved(World(server.url, notes=notes, limit=limit, **BOTH), catalogue)

            assert set(catalogue) == set(whole), broken_at
            assert not [key for key in notes.saved if "progress" in key]
    assert len(whole) == number


def test_repeats_a_batch_that_was_not_saved() -> None:
    """
    A process that dies with a batch in its hands gets that batch again.

    It gets none of those that it had finished.
    """
    with SparqlServer(FOLK) as server:
        first = World(server.url, **BOTH)
        batches = first.source.people()
        done, lost = next(batches), next(batches)
        again = [
            batch for batch in World(server.url, notes=first.notes, **BOTH).source.people() if batch
        ]

    assert {person.qid for person in done} == {"Q900000000", "Q900000001"}
    assert {person.qid for person in lost} == {"Q900000002", "Q900000003", "Q900000004"}
    assert again[0] == lost
    assert {person.qid for batch in again for person in batch} == EVERYBODY - {
        person.qid for person in done
    }


def test_does_not_ask_for_finished_bands_again() -> None:
    """The rerun begins at the line of the checkpoint, and says how many were found before."""
    with SparqlServer(FOLK) as server:
        first = World(server.url)
        batches = first.source.people()
        # the third request for more confirms the first two batches
        _ = next(batches), next(batches), next(batches)
        before = len(server.asked)
        second = World(server.url, notes=first.notes)
        second.people()
        asked = [request.query for request in server.asked[before:]]

    assert first.notes.note("wikidata/progress") is None
    assert not [
        query
        for query in asked
        if "?sitelinks >= 150" in query or "P279*" in query or "?form" in query
    ]
    assert "?sitelinks >= 70 && ?sitelinks < 100" in asked[0]
    assert second.tally["people_before"] == 2


def test_begins_anew_after_a_complete_search() -> None:
    """
    When everything is found the checkpoint is gone.

    The next search sees who has become famous.
    """
    with SparqlServer(FOLK) as server:
        first = World(server.url)
        found = first.people()
        again = World(server.url, notes=first.notes).people()

    assert set(found) == set(again) == EVERYBODY - {"Q902"}


@pytest.mark.parametrize(
    "other",
    [
        {"limit": 7},
        {"min_sitelinks": 1},
        {"language": "de"},
        {"occupations": (FILM_ACTOR,)},
        {"born_after": date(1900, 1, 1)},
    ],
    ids=str,
)
def test_begins_anew_when_something_else_is_asked(other: dict[str, Any]) -> None:
    """A checkpoint is bound to everything that decides who is found."""
    with SparqlServer(FOLK) as server:
        first = World(server.url)
        _ = [next(batches) for batches in [first.source.people()] for _ in range(2)]
        found = World(server.url, notes=first.notes, **other).people()

    assert "Q900000000" in found


def _too_old(note: dict[str, object]) -> dict[str, object]:
    return {**note, "started_at": (datetime.now(UTC) - timedelta(days=8)).isoformat()}


@pytest.mark.parametrize(
    "spoil",
    [_too_old, lambda _: {"batches": "many"}, lambda note: {**note, "found": [1]}],
    ids=["old", "no checkpoint", "broken"],
)
def test_begins_anew_when_the_checkpoint_is_useless(spoil: object) -> None:
    """A checkpoint of last week, or one that another version wrote, is left aside."""
    with SparqlServer(FOLK) as server:
        first = World(server.url)
        _ = [next(batches) for batches in [first.source.people()] for _ in range(2)]
        first.notes.set_note("wikidata/progress", spoil(first.notes.note("wikidata/progress")))  # type: ignore[operator]
        found = World(server.url, notes=first.notes).people()

    assert set(found) == EVERYBODY - {"Q902"}


def test_asks_a_swapped_endpoint_for_its_dialect_again() -> None:
    """
    When the remembered dialect finds nobody at all, it is forgotten.

    The next search finds out anew.
    """
    with SparqlServer(FOLK) as server:
        world = World(server.url)
        world.people()
        note = world.notes.note("wikidata/dialect")
        assert note is not None
        world.notes.set_note("wikidata/dialect", {**note, "values": ["qlever"]})
        first = World(server.url, notes=world.notes).people()
        second = World(server.url, notes=world.notes).people()

    assert first == {}
    assert set(second) == EVERYBODY - {"Q902"}


def test_passes_on_nobody_twice_when_fame_changes_meanwhile() -> None:
    """Somebody who loses sitelinks between two bands is in both, and comes once."""
    moved = (
        b'{"results": {"bindings": [{"person": {"type": "uri", "value":'
        b' "http://www.wikidata.org/entity/Q900000000"},'
    )
    moved += b' "sitelinks": {"type": "literal", "value": "20"}}]}}'

    with SparqlServer(
        FOLK, fault=lambda query: Reply(200, moved) if "?sitelinks >= 20 &&" in query else None
    ) as server:
        everybody = [person.qid for batch in batches_of(server) for person in batch]

    assert len(everybody) == len(set(everybody))


def batches_of(server: SparqlServer) -> Iterator[list[Celebrity]]:
    """Search without any notes."""
    return World(server.url).source.people()
