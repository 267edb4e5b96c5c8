"""Whatever an endpoint puts into its answers is counted or left out.

And what a thousand people cost.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celebcollect.domain.errors import SourceError
from celebcollect.domain.tally import Tally
from celebcollect.sources.wikidata.answers import rows_of
from celebcollect.sources.wikidata.facts import Facts
from celebcollect.sources.wikidata.seeds import Seed, read_seeds
from sources.sparql_server import Reply, SparqlServer
from sources.wikidata_world import ACTOR, FILM_ACTOR, World, crowd

WD = "http://www.wikidata.org/entity/"
WDT = "http://www.wikidata.org/prop/direct/"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
COMMONS = "http://commons.wikimedia.org/wiki/Special:FilePath/"


def uri(value: str) -> dict[str, object]:
    return {"type": "uri", "value": value}


def text(value: object, language: str = "") -> dict[str, object]:
    return {"type": "literal", "value": value, **({"xml:lang": language} if language else {})}


def fact(of: str, value: dict[str, object], qid: str = "Q1") -> dict[str, object]:
    return {"item": uri(WD + qid), "property": uri(of), "value": value}


def read(bindings: list[object]) -> tuple[object, Tally]:
    """Return the person Q1 that a details answer makes, and what was counted."""
    tally = Tally()
    rows = rows_of(json.dumps({"results": {"bindings": bindings}}).encode(), "here", tally)
    facts = Facts(rows, ["Q1"], languages=("en", "mul"), order={}, tally=tally)
    return facts.person(Seed("Q1", 10)), tally


NAME = fact(LABEL, text("A", "en"))


@pytest.mark.parametrize(
    ("rows", "reason", "number"),
    [
        ([5, None, [], "x"], "bad_value", 4),
        ([{"item": 5}], "bad_value", 2),  # the value, and the row without it
        ([{"item": uri(WD + "Q1"), "property": uri(LABEL)}], "bad_value", 1),
        ([fact(WDT + "P569", text("yesterday"))], "bad_value", 1),
        ([fact(WDT + "P569", text("1990-13-01T00:00:00Z"))], "bad_value", 1),
        ([fact(WDT + "P569", text("99999999999-01-01T00:00:00Z"))], "bad_value", 1),
        ([fact(WDT + "P569", text("١٩٩٠-01-01"))], "bad_value", 1),
        ([fact(WDT + "P569", uri(WD + "Q5"))], "bad_value", 1),
        ([fact(WDT + "P106", text("actor"))], "bad_value", 1),
        ([fact(WDT + "P106", uri(WD + "Q33999/../../etc"))], "bad_value", 1),
        ([fact(WDT + "P345", text("tt0133093"))], "bad_imdb_id", 1),
        ([fact(WDT + "P345", text("nm123\n"))], "bad_imdb_id", 1),
        ([fact(WDT + "P4985", text("12?api_key=x"))], "bad_tmdb_id", 1),
        ([fact(WDT + "P4985", text("٣"))], "bad_tmdb_id", 1),
        (
            [fact(WDT + "P18", uri("https://evil.example/wiki/Special:FilePath/a.jpg"))],
            "bad_value",
            1,
        ),
        (
            [
                fact(
                    WDT + "P18",
                    uri("http://commons.wikimedia.org@evil.example/wiki/Special:FilePath/a.jpg"),
                )
            ],
            "bad_value",
            1,
        ),
        (
            [fact(WDT + "P18", uri("http://commons.wikimedia.org/wiki/Special:FilePath/"))],
            "bad_value",
            1,
        ),
        ([fact(WDT + "P18", uri("http://[::1"))], "bad_value", 1),
        ([fact(WDT + "P18", text("a.jpg"))], "bad_value", 1),
        *[
            ([fact(WDT + "P18", uri(f"{COMMONS}a.{kind}"))], "not_a_photograph", 1)
            for kind in ("svg", "TIF", "tiff", "gif", "pdf", "djvu", "webm", "ogg")
        ],
        ([fact(WDT + "P373", text("A|B"))], "bad_value", 1),
        ([fact(LABEL, text("x" * 5000, "en"))], "bad_value", 1),
        ([fact(LABEL, text(["A"], "en"))], "bad_value", 2),
        # somebody who was not asked for
        ([fact(WDT + "P569", text("1990-01-01"), qid="Q2")], "bad_value", 1),
    ],
)
def test_counts_values_that_cannot_be(rows: list[object], reason: str, number: int) -> None:
    """A value of the wrong type or shape is left out and counted; the person stays."""
    person, tally = read([NAME, *rows])

    assert tally.reasons == {reason: number}
    assert person is not None
    assert person.model_dump(exclude_defaults=True, exclude={"qid", "name", "sitelinks"}) == {}  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["jpg", "JPEG", "jpe", "png", "webp"])
def test_keeps_every_type_of_photograph(kind: str) -> None:
    """Photographs are kept with an https address, whatever the case of their ending."""
    person, tally = read([NAME, fact(WDT + "P18", uri(f"{COMMONS}a.{kind}"))])

    assert person.portraits == (f"https://commons.wikimedia.org/wiki/Special:FilePath/a.{kind}",)  # type: ignore[attr-defined]
    assert tally.reasons == {}


@pytest.mark.parametrize("label", ["", "   ", "\u202e\u202e", "\x00\x07"])
def test_counts_a_name_that_nobody_can_print(label: str) -> None:
    """A name of blanks, control or override characters is no name."""
    person, tally = read([fact(LABEL, text(label, "en"))])

    assert person is None
    assert tally.reasons == {"no_name": 1}


def test_reads_years_as_wikibase_writes_them() -> None:
    """Month and day 00 mean that only the year is known; a plus sign means nothing."""
    person, _ = read(
        [
            NAME,
            fact(WDT + "P569", text("+1946-00-00T00:00:00Z")),
            fact(WDT + "P570", text("2000-05-00")),
        ]
    )

    assert (person.births, person.deaths) == (("1946-01-01",), ("2000-05-01",))  # type: ignore[attr-defined]


def test_keeps_a_bounded_number_of_values() -> None:
    """A million aliases do not fill the catalogue."""
    many = [
        fact("http://www.w3.org/2004/02/skos/core#altLabel", text(f"Alias {number}", "en"))
        for number in range(3000)
    ]
    person, _ = read([NAME, *many])

    assert len(person.aliases) == 50  # type: ignore[attr-defined]


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["uri", "literal", "bnode", WD + "Q1", LABEL]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "value", "xml:lang", "item", "person", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
bindings = st.lists(
    st.dictionaries(
        st.sampled_from(["item", "property", "value", "person", "sitelinks", "birth"]),
        anything,
        max_size=4,
    )
    | anything,
    max_size=5,
)


@pytest.mark.slow
@given(bindings)
@settings(max_examples=150, deadline=None)
def test_survives_any_json(rows: list[object]) -> None:
    """No JSON in a result crashes the reading of seeds or facts."""
    tally = Tally()
    parsed = rows_of(json.dumps({"results": {"bindings": rows}}).encode(), "here", tally)
    read_seeds(parsed, "Q1", {}, tally)

    Facts(parsed, ["Q1"], languages=("en",), order={}, tally=tally).person(Seed("Q1", 1))


@pytest.mark.slow
@given(st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=150, deadline=None)
def test_knows_no_other_failure_than_its_own(body: bytes) -> None:
    """
    A body that is no result is an error of the source, whatever it is.

    So is JSON that is nested too deeply.
    """
    for answer in (body, b'{"a":' * 20_000):
        try:
            rows_of(answer, "here", Tally())
        except SourceError as error:
            assert "here" in error.message  # noqa: PT017


def test_survives_seeds_that_are_none() -> None:
    """Seeds without a QID or with senseless sitelinks are counted, and the others come."""
    rows = [
        {"person": uri(WD + "Q900000001"), "sitelinks": text("50")},
        {"person": uri(WD + "L1"), "sitelinks": text("50")},
        {"person": uri("javascript:alert(1)"), "sitelinks": text("50")},
        {"person": uri(WD + "Q900000002"), "sitelinks": text("9" * 5000)},
        {"person": uri(WD + "Q900000002")},
    ]
    reply = Reply(200, json.dumps({"results": {"bindings": rows}}).encode())

    with SparqlServer(
        crowd(range(3)), fault=lambda query: reply if "?sitelinks >= 50 &&" in query else None
    ) as server:
        world = World(server.url)
        found = world.people()

    assert set(found) == {"Q900000001"}
    assert world.tally.reasons == {"bad_value": 4}


@pytest.mark.slow
def test_costs_few_requests_per_person(
    record_property: Callable[[str, object], None],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """A thousand people take one request per 150 of them, and a few for occupations and bands."""
    fame = {number: 20 + number % 200 for number in range(1000)}
    turtle = tmp_path / "thousand.ttl"
    turtle.write_text(crowd(range(1000), sitelinks=fame))

    with SparqlServer(turtle) as server:
        world = World(server.url, min_sitelinks=20, limit=1000)
        found = world.people(ACTOR)
        per_person = len(server.asked) / len(found)

    record_property("requests_per_person", per_person)
    with capsys.disabled():
        sys.stdout.write(
            f"\nwikidata: {len(found)} people, {len(server.asked)} requests,"
            f" {per_person:.3f} requests per person\n"
        )
    details = [asked for asked in server.asked if "?property" in asked.query]
    assert len(found) == 1000
    assert all(person.professions == ("film actor",) for person in found.values())
    assert len(details) <= math.ceil(1000 / 150) + 8  # a band's last batch may be short
    assert per_person < 0.03
    assert max(asked.query.count("wd:Q900") for asked in details) <= 3 * 150
    assert world.tally["requests"] == len(server.asked)


def test_asks_for_no_more_people_than_are_needed() -> None:
    """With a limit of five, details of five people are asked for, not of the whole band."""
    with SparqlServer(crowd(range(100))) as server:
        found = World(server.url).people(FILM_ACTOR, limit=5)
        details = [asked for asked in server.asked if "?property" in asked.query]

    assert len(found) == 5
    assert [asked.query.count("wd:Q900") for asked in details] == [3 * 5]
