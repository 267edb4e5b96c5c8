"""Searching people in a source, with a real log and catalogue."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.catalogue.state import SearchState
from celebcollect.domain.errors import Interrupted, SourceBlocked
from celebcollect.domain.records import Celebrity, ImageCandidate, now
from celebcollect.domain.tally import Tally
from celebcollect.sources.base import PersonNotSearched
from celebcollect.stages.collect import collect, pick
from celebcollect.stages.refusals import blocked_until

PEOPLE = [Celebrity(qid=f"Q{n}", name=f"Person {n}", sitelinks=100 - n) for n in range(1, 5)]


@dataclass
class Shelf:
    """A source with so many pictures of each person; `asked` records the limits."""

    holds: dict[str, int]
    blocked_at: str = ""
    name: str = "shelf"
    topic: str = "urls"
    asked: list[tuple[str, int]] = field(default_factory=list)

    def candidates(self, person: Celebrity, limit: int) -> Iterator[ImageCandidate]:
        self.asked.append((person.qid, limit))
        if person.qid == self.blocked_at:
            raise SourceBlocked("come back later", hint="Wait.")
        for rank in range(min(limit, self.holds.get(person.qid, 0))):
            yield ImageCandidate(
                schema_version=1,
                qid=person.qid,
                name=person.name,
                url=f"https://example.org/{person.qid}/{rank}",
                source=self.name,
            )

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Room:
    """A log and a catalogue to search into."""

    bus: EmbeddedBus
    catalogue: EmbeddedCatalogue

    def collect(self, source: Shelf, people: list[Celebrity] = PEOPLE, **options: Any) -> Tally:
        tally = Tally()
        stop = threading.Event()
        collect(
            source,
            people,
            self.catalogue,
            self.bus,
            tally,
            per_search=3,
            stop=options.get("stop", stop),
        )
        return tally

    def published(self) -> list[str]:
        return [str(message.key) for message in self.bus.read("urls")]

    def search(self, qid: str) -> SearchState | None:
        return self.catalogue.states([qid])[qid].searches.get("shelf")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    bus, catalogue = (
        EmbeddedBus(tmp_path / "log"),
        EmbeddedCatalogue(tmp_path / "catalogue.sqlite3"),
    )
    catalogue.save_people(PEOPLE)
    yield Room(bus, catalogue)
    catalogue.close()
    bus.close()


def test_each_search_asks_for_more_and_knows_when_there_is_no_more(room: Room) -> None:
    """The second search asks for twice as many; fewer than asked for means exhausted."""
    shelf = Shelf({"Q1": 5, "Q2": 1})

    first = room.collect(shelf, PEOPLE[:2])
    second = room.collect(shelf, PEOPLE[:1])

    assert shelf.asked == [("Q1", 3), ("Q2", 3), ("Q1", 6)]
    assert (first["candidates"], second["candidates"]) == (4, 5)
    assert room.published() == ["Q1"] * 3 + ["Q2"] + ["Q1"] * 5
    states = room.search("Q1"), room.search("Q2")
    assert [(state.rounds, state.offered, state.exhausted) for state in states if state] == [
        (2, 5, True),
        (1, 1, True),
    ]


def test_a_block_keeps_what_was_done(room: Room) -> None:
    """
    People before the block are recorded.

    The one at the block and those behind it are free to be searched again.
    """
    with pytest.raises(SourceBlocked):
        room.collect(Shelf({"Q1": 3, "Q2": 3}, blocked_at="Q2"))

    assert room.search("Q1") is not None
    assert room.search("Q2") is None
    assert [person.qid for person in pick(room.catalogue, "shelf", target=3, limit=None)] == [
        "Q2",
        "Q3",
        "Q4",
        "Q1",
    ]
    assert room.collect(Shelf({"Q2": 1}), PEOPLE[1:2])["people"] == 1


def test_a_person_whom_another_scraper_has_is_left_to_it(room: Room) -> None:
    """A live claim of another owner is respected."""
    room.catalogue.claim("search:shelf", ["Q1"], owner="another-machine|1|0", lease_s=60)

    tally = room.collect(Shelf({"Q1": 3, "Q2": 3}), PEOPLE[:2])

    assert tally["left to others"] == 1
    assert room.published() == ["Q2"] * 3


def test_a_search_that_we_cut_short_is_not_taken_for_exhausted(room: Room) -> None:
    """When the work is stopped in the middle of a person, the search is done again."""
    stop = threading.Event()

    class Interrupted(Shelf):
        def candidates(self, person: Celebrity, limit: int) -> Iterator[ImageCandidate]:
            yield next(super().candidates(person, limit))
            stop.set()

    room.collect(Interrupted({"Q1": 3, "Q2": 3}), stop=stop)

    assert room.search("Q1") is None
    assert room.published() == ["Q1"]


def test_a_wait_that_we_cut_short_is_no_error(room: Room) -> None:
    """
    A source that was waiting when the work was stopped ends quietly.

    Its person is searched again.
    """
    stop = threading.Event()

    class Waiting(Shelf):
        def candidates(self, person: Celebrity, limit: int) -> Iterator[ImageCandidate]:
            stop.set()
            raise Interrupted("stopped while waiting", hint="Run it again.")

    room.collect(Waiting({"Q1": 3}), PEOPLE[:1], stop=stop)

    assert room.search("Q1") is None


def test_a_person_for_whom_the_source_fails_is_searched_again(room: Room) -> None:
    """
    One person's trouble does not stop the others.

    It is not taken for the end of what the source has.
    """

    class Stumbling(Shelf):
        def candidates(self, person: Celebrity, limit: int) -> Iterator[ImageCandidate]:
            if person.qid == "Q1":
                raise PersonNotSearched("a page that nobody knows")
            yield from super().candidates(person, limit)

    tally = room.collect(Stumbling({"Q2": 3}), PEOPLE[:2])

    assert room.search("Q1") is None
    assert (tally["people"], tally["not searched"]) == (1, 1)
    assert [person.qid for person in pick(room.catalogue, "shelf", target=3, limit=1)] == ["Q1"]


def test_nothing_found_is_counted(room: Room) -> None:
    """A person without a result is a reason, not silence."""
    tally = room.collect(Shelf({}), PEOPLE[:2])

    assert tally.reasons == {"person_without_result": 2}


def test_a_block_is_remembered_for_whoever_looks_until_the_source_answers(room: Room) -> None:
    """`status` knows of it wherever the scraper runs; an answer ends it, and so does the time."""
    assert blocked_until(room.catalogue, "shelf") is None
    with pytest.raises(SourceBlocked):
        room.collect(Shelf({}, blocked_at="Q1"))
    until = blocked_until(room.catalogue, "shelf")
    assert until is not None
    assert until > now()

    room.collect(Shelf({"Q2": 1}), PEOPLE[1:2])
    assert blocked_until(room.catalogue, "shelf") is None

    room.catalogue.set_note("blocked:shelf", {"until": "2001-01-01T00:00:00+00:00"})
    assert blocked_until(room.catalogue, "shelf") is None
    room.catalogue.set_note("blocked:shelf", {"until": "soon"})
    assert blocked_until(room.catalogue, "shelf") is None
