"""From a person to the address of a result page."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from celebcollect.domain.records import Celebrity
from celebcollect.sources.google.query import address, as_data, queries
from celebcollect.sources.google.settings import GoogleConfig


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("Ada Example", "Ada Example actor"),
        ('Dwayne "The Rock" Johnson', "Dwayne The Rock Johnson actor"),
        ("Conan O'Brien", "Conan O'Brien actor"),
        ("Robert Downey, Jr.", "Robert Downey, Jr. actor"),
        ("Jean-Luc Picard", "Jean-Luc Picard actor"),
        ("محمد صلاح", "محمد صلاح actor"),
        ("宮崎 駿", "宮崎 駿 actor"),
        ("Zoë 😀 Kravitz", "Zoë Kravitz actor"),
        (
            "cats AND dogs OR site:evil.example -birds",
            "cats and dogs or site evil.example birds actor",
        ),
        ("intitle:x AROUND(3) y* a|b 1..2 “z”", "intitle x around 3 y a b 1 2 z actor"),
        ("-minus +plus ~tilde @at #hash", "minus plus tilde at hash actor"),
        ("{occupation} {qid}", "occupation qid actor"),
        ("../../etc/passwd", "/etc/passwd actor"),
    ],
)
def test_a_name_is_searched_as_it_is(name: str, query: str) -> None:
    """
    Letters of every script stay.

    Nothing in a name is an operator of the search or a part of the template.
    """
    person = Celebrity(qid="Q1", name=name, professions=("Q33999", "actor"))

    assert list(queries(person, GoogleConfig())) == [query]


def test_templates_are_tried_in_turn_and_once() -> None:
    """Quotes of the template stay, those of the name go; the same text twice is one query."""
    settings = GoogleConfig(
        query_templates=('"{name}" {occupation}', "{name} portrait", '"{name}"')
    )
    person = Celebrity(qid="Q1", name='Ann "Bee" Cee')

    assert list(queries(person, settings)) == ['"Ann Bee Cee"', "Ann Bee Cee portrait"]


@pytest.mark.parametrize("name", ['""', "😀", "- + |"])
def test_a_name_without_letters_is_not_searched(name: str) -> None:
    """Nothing is asked for where nothing but signs would be left: it would find somebody else."""
    assert (
        list(queries(Celebrity(qid="Q1", name=name, professions=("actor",)), GoogleConfig())) == []
    )


def test_a_long_name_is_cut_where_google_stops_reading() -> None:
    """At most 32 words are sent."""
    assert len(next(queries(Celebrity(qid="Q1", name="a b " * 70), GoogleConfig())).split()) == 32


@pytest.mark.parametrize(
    ("settings", "filters"),
    [
        (GoogleConfig(), "itp:face"),
        (GoogleConfig(face=False), None),
        (GoogleConfig(size="large", licence="creative-commons"), "isz:l,itp:face,sur:cl"),
        (GoogleConfig(size="2mp", face=False, licence="commercial"), "isz:lt,islt:2mp,sur:ol"),
    ],
)
def test_filters_become_parameters(settings: GoogleConfig, filters: str | None) -> None:
    """
    Face, size and licence go where Google reads them.

    Language and SafeSearch are always told.
    """
    parameters = dict(parse_qsl(urlsplit(address("Ann & Bob = 1", settings)).query))

    assert parameters.pop("tbs", None) == filters
    assert parameters == {"q": "Ann & Bob = 1", "udm": "2", "hl": "en", "safe": "active"}


def test_an_address_that_has_parameters_keeps_them() -> None:
    """The search may be reached through an address with parameters of its own."""
    assert address("x", GoogleConfig(search_url="http://h.example/s?a=1&b=#f")).startswith(
        "http://h.example/s?a=1&b=&q=x&udm=2"
    )


def test_signs_alone_are_no_data() -> None:
    """What is left of an operator is its words."""
    assert as_data('site:"x" OR (y)') == "site x or y"
