"""What every catalogue promises about people."""

from __future__ import annotations

import pytest

from catalogue.catalogue_samples import candidate, person
from celebcollect.catalogue.base import Catalogue
from celebcollect.catalogue.state import SaveCounts, SearchState
from celebcollect.domain.records import Status

ODD_NAMES = [
    "Sinéad O'Connor",
    'Dwayne "The Rock" Johnson; DROP TABLE celebrities; --',
    "../../etc/passwd",
    "محمد صلاح",
    "宮崎 駿",
    "P!nk 🎤👩‍🎤",
    "{$gt: ''} $where",
    "a.b$c%d_e\\f",
]


def test_saved_people_come_back_as_they_were(catalogue: Catalogue) -> None:
    """Every fact of a person survives the way through the catalogue."""
    whole = person(
        1,
        description="singer",
        aliases=("One", "Uno"),
        births=("-0043-01-03", "1950"),
        deaths=("2001-01-01",),
        genders=("female",),
        citizenships=("France", "Chile"),
        tmdb_ids=("12",),
        imdb_ids=("nm1",),
        portraits=("https://commons.example/A%20%26%20B.jpg",),
        commons_category="One, the singer",
    )

    counts = catalogue.save_people([whole, person(2)])

    assert counts == SaveCounts(new=2)
    assert catalogue.people() == [whole, person(2)]


def test_refreshing_counts_what_changed(catalogue: Catalogue) -> None:
    """A second look at Wikidata overwrites what changed and leaves the rest alone."""
    catalogue.save_people([person(1), person(2)])

    counts = catalogue.save_people([person(1), person(2, name="New Name"), person(3)])

    assert counts == SaveCounts(new=1, changed=1, unchanged=1)
    assert catalogue.people(["Q2"]) == [person(2, name="New Name")]


def test_a_fact_that_is_gone_is_gone(catalogue: Catalogue) -> None:
    """A refreshed record replaces the old one whole."""
    catalogue.save_people([person(1, description="singer", aliases=("Uno",))])

    catalogue.save_people([person(1)])

    assert catalogue.people() == [person(1)]
    assert catalogue.find_people("Uno") == []


def test_the_same_person_twice_in_one_call(catalogue: Catalogue) -> None:
    """The later record of a person in one call wins, and is counted as a change."""
    counts = catalogue.save_people([person(1), person(1, name="Later"), person(1, name="Later")])

    assert counts == SaveCounts(new=1, changed=1, unchanged=1)
    assert [found.name for found in catalogue.people()] == ["Later"]


def test_refreshing_keeps_the_state_of_the_work(catalogue: Catalogue) -> None:
    """What was searched, counted and finished outlives a refresh of the facts."""
    catalogue.save_people([person(1)])
    catalogue.record_search("Q1", "tmdb", SearchState(rounds=1, offered=3, exhausted=True))
    catalogue.record_round("Q1", rounds=2, finished=True)
    catalogue.add_verified([candidate(1, 0)])
    before = catalogue.states(["Q1"])

    catalogue.save_people([person(1, name="New Name")])

    assert catalogue.states(["Q1"]) == before


def test_a_message_never_overwrites_wikidata(catalogue: Catalogue) -> None:
    """A record from a candidate message adds a missing person and changes no known one."""
    catalogue.save_people([person(1)])

    counts = catalogue.save_people(
        [person(1, name="Liar", origin="google"), person(2, origin="google")]
    )

    assert counts == SaveCounts(new=1, unchanged=1)
    assert catalogue.people() == [person(1), person(2, origin="google")]


def test_wikidata_overwrites_a_message(catalogue: Catalogue) -> None:
    """A person who came with a message gets Wikidata's facts as soon as they are known."""
    catalogue.save_people([person(1, name="Guess", origin="google", sitelinks=0)])

    counts = catalogue.save_people([person(1)])

    assert counts == SaveCounts(changed=1)
    assert catalogue.people() == [person(1)]


def test_people_come_by_fame(catalogue: Catalogue) -> None:
    """The most famous come first, equals by their numbers; a limit cuts the tail off."""
    catalogue.save_people(
        [
            person(10, sitelinks=5),
            person(9, sitelinks=5),
            person(3, sitelinks=90),
            person(100, sitelinks=1),
        ]
    )

    assert [found.qid for found in catalogue.people()] == ["Q3", "Q9", "Q10", "Q100"]
    assert [found.qid for found in catalogue.people(limit=2)] == ["Q3", "Q9"]
    assert [found.qid for found in catalogue.people(["Q100", "Q9", "Q10", "Q77"], limit=2)] == [
        "Q9",
        "Q10",
    ]
    assert catalogue.people([]) == []


def test_a_fame_beyond_all_numbers_is_kept(catalogue: Catalogue) -> None:
    """
    An endpoint's nonsense about a person's fame breaks nothing.

    It makes the person famous.
    """
    catalogue.save_people([person(1), person(2, sitelinks=10**30), person(3, sitelinks=-5)])

    assert [(found.qid, found.sitelinks) for found in catalogue.people()] == [
        ("Q2", 10**30),
        ("Q1", 20),
        ("Q3", -5),
    ]


def test_asking_for_what_is_no_qid_finds_nobody(catalogue: Catalogue) -> None:
    """Texts that are no QID belong to nobody, whatever is in them."""
    catalogue.save_people([person(7)])

    assert catalogue.people(["Q07", "7", "Q7 ", "q7", "", "Q" + "9" * 40, "'", "Q7\x00"]) == []
    assert catalogue.states(["Q07", "nobody"]) == {}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_found_again(catalogue: Catalogue, name: str) -> None:
    """No name breaks a query, and each is found by its own text, as name and as alias."""
    catalogue.save_people([person(1, name=name), person(2, aliases=(name,)), person(3)])

    assert [found.qid for found in catalogue.find_people(name)] == ["Q1", "Q2"]
    assert catalogue.people(["Q1"])[0].name == name


def test_names_are_found_without_their_case_but_whole(catalogue: Catalogue) -> None:
    """A search by name minds neither case nor spaces around, and takes no part of a name for it."""
    catalogue.save_people(
        [
            person(1, name="Zoë STRAßE", sitelinks=1),
            person(2, aliases=("zoë strasse",), sitelinks=9),
        ]
    )

    assert [found.qid for found in catalogue.find_people("  ZOË Strasse ")] == ["Q2", "Q1"]
    assert catalogue.find_people("Zoë") == []


def test_candidates_bring_their_people_along(catalogue: Catalogue) -> None:
    """
    A candidate about a person whom nobody knew adds the person, with what the candidate says.

    Known ones stay.
    """
    catalogue.save_people([person(1)])

    catalogue.add_verified(
        [
            candidate(1, 0, name="Liar"),
            candidate(2, 0, profession="singer"),
            candidate(2, 1, name="Second"),
        ]
    )
    found = {one.qid: one for one in catalogue.people()}

    assert found["Q1"] == person(1)
    assert (found["Q2"].name, found["Q2"].professions, found["Q2"].origin) == (
        "Person 2",
        ("singer",),
        "google",
    )
    assert catalogue.find_people("person 2") == [found["Q2"]]
    assert catalogue.states(["Q2"])["Q2"].images[Status.VERIFIED] == 2
