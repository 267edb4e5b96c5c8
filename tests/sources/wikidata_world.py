"""What the tests of the Wikidata source share.

Notes in memory, a clock that need not be waited for, people drawn up as Turtle.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from celebcollect.domain.records import Celebrity
from celebcollect.domain.tally import Tally
from celebcollect.sources.wikidata.people import Wikidata
from celebcollect.sources.wikidata.settings import WikidataConfig
from support import SHARED_DATA

AGENT = "celebcollect-tests/1 (mailto:tests@example.org)"
ACTOR, FILM_ACTOR, SINGER = "Q33999", "Q10800557", "Q177220"

PEOPLE = SHARED_DATA / "wikidata" / "people.ttl"
DUMP = SHARED_DATA / "wikidata" / "Q42_dump_2024-04.ttl"
ERRORS = SHARED_DATA / "wikidata" / "errors"

PREFIXES = """
@prefix wd: <http://www.wikidata.org/entity/> .
@prefix wdt: <http://www.wikidata.org/prop/direct/> .
@prefix wikibase: <http://wikiba.se/ontology#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <http://schema.org/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
wd:Q10800557 wdt:P279 wd:Q33999 ; rdfs:label "film actor"@en .
wd:Q33999 wdt:P279 wd:Q713200 ; rdfs:label "actor"@en .
"""


class Notes:
    """Notes in memory that take and give JSON only, as the catalogue does."""

    def __init__(self) -> None:
        self.saved: dict[str, str] = {}

    def note(self, key: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = json.loads(self.saved.get(key, "null"))
        return found

    def set_note(self, key: str, value: Mapping[str, Any] | None) -> None:
        if value is None:
            self.saved.pop(key, None)
        else:
            self.saved[key] = json.dumps(value)


class Clock:
    """The real time plus what was waited for; waiting takes no time."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def now(self) -> float:
        return time.monotonic() + sum(self.waited)

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return False


class World:
    """
    The source as `wikidata` would build it for this endpoint.

    It holds what is left behind: tally, notes, waiting times.
    """

    def __init__(
        self, url: str, *, notes: Notes | None = None, real_time: bool = False, **settings: Any
    ) -> None:
        given: dict[str, Any] = {
            "born_after": None,
            "min_sitelinks": 0,
            "occupations": (ACTOR,),
            "min_interval_s": 0,
            "timeout_s": 20,
            **settings,
        }
        self.settings = WikidataConfig(endpoint=url, **given)
        self.tally = Tally()
        self.notes = notes or Notes()
        self.clock = Clock()
        self.found: dict[str, Celebrity] = {}
        """Whom a fixture has found with it."""
        time_is: dict[str, Any] = (
            {} if real_time else {"wait": self.clock.wait, "clock": self.clock.now}
        )
        self.source = Wikidata(
            self.settings, user_agent=AGENT, tally=self.tally, notes=self.notes, **time_is
        )

    def people(self, *occupations: str, limit: int | None = None) -> dict[str, Celebrity]:
        """
        Return everybody by QID, in the order in which they came.

        Fail when somebody comes twice.
        """
        everybody = [
            person for batch in self.source.people(occupations or None, limit) for person in batch
        ]
        assert len({person.qid for person in everybody}) == len(everybody)
        return {person.qid: person for person in everybody}


def crowd(
    numbers: Iterable[int],
    *,
    sitelinks: Mapping[int, int] | int = 50,
    born: date = date(1970, 5, 17),
    occupation: str = FILM_ACTOR,
) -> str:
    """Return Turtle with one person for each number (QID Q900<number>)."""
    facts = []
    for number in numbers:
        fame = sitelinks if isinstance(sitelinks, int) else sitelinks[number]
        facts.append(
            f"""
wd:Q900{number:06d} wdt:P31 wd:Q5 ; wdt:P106 wd:{occupation} ; wikibase:sitelinks {fame} ;
  rdfs:label "Person {number}"@en ;
  wdt:P569 "{born.isoformat()}T00:00:00Z"^^xsd:dateTime ; wdt:P4985 "{number + 1}" ;
  wdt:P21 wd:Q6581072 ; wdt:P27 wd:Q30 ."""
        )
    return PREFIXES + "".join(facts)


def error_body(name: str) -> bytes:
    """Return a recorded error body."""
    return Path(ERRORS / name).read_bytes()
