"""What every catalogue promises about handing out work."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from catalogue.catalogue_samples import accepted, candidate, failed, person, rejected, stored
from celebcollect.catalogue.base import Catalogue
from celebcollect.catalogue.state import Cleaning, SearchState
from celebcollect.catalogue.tasks import search_task
from celebcollect.disk.owners import this_owner
from celebcollect.domain.records import Status

SOMEBODY = "elsewhere|1|1"
"""A process of another machine: whether it lives cannot be known, so only its lease counts."""


def test_the_state_of_a_person_is_kept(catalogue: Catalogue) -> None:
    """Searches, rounds and image counts of each known person come in one answer."""
    at = datetime(2026, 5, 1, 8, 0, 0, 5, tzinfo=UTC)
    catalogue.save_people([person(1), person(2)])
    catalogue.record_search("Q1", "tmdb", SearchState(rounds=1, offered=2))
    catalogue.record_search("Q1", "tmdb", SearchState(rounds=2, offered=3, exhausted=True, at=at))
    catalogue.record_search("Q1", "google", SearchState(rounds=1, offered=20, at=at))
    catalogue.record_round("Q1", rounds=3, finished=True)
    catalogue.add_verified([candidate(1, 0)])

    states = catalogue.states(["Q1", "Q2", "Q3"])

    assert set(states) == {"Q1", "Q2"}
    assert states["Q1"].searches == {
        "tmdb": SearchState(rounds=2, offered=3, exhausted=True, at=at),
        "google": SearchState(rounds=1, offered=20, at=at),
    }
    assert (states["Q1"].rounds, states["Q1"].finished) == (3, True)
    assert states["Q1"].images == {**dict.fromkeys(Status, 0), Status.VERIFIED: 1}
    assert (states["Q2"].rounds, states["Q2"].finished, dict(states["Q2"].searches)) == (
        0,
        False,
        {},
    )
    assert states["Q2"].images == dict.fromkeys(Status, 0)


def test_who_was_never_searched_comes_first(catalogue: Catalogue) -> None:
    """
    People never searched by this source come first, then those who were.

    Each group by fame, exhausted ones not at all.
    """
    catalogue.save_people([person(n, sitelinks=100 - n) for n in range(1, 8)])
    catalogue.record_search("Q1", "tmdb", SearchState(rounds=1, offered=5))
    catalogue.record_search("Q3", "tmdb", SearchState(rounds=2, offered=5))
    catalogue.record_search("Q2", "tmdb", SearchState(rounds=1, exhausted=True))
    catalogue.record_search("Q4", "google", SearchState(rounds=1, exhausted=True))

    assert catalogue.need_search("tmdb", target=1) == ["Q4", "Q5", "Q6", "Q7", "Q1", "Q3"]
    assert catalogue.need_search("tmdb", target=1, limit=2) == ["Q4", "Q5"]
    assert catalogue.need_search("tmdb", target=1, limit=5) == ["Q4", "Q5", "Q6", "Q7", "Q1"]
    assert catalogue.need_search("google", target=1, limit=1) == ["Q1"]
    assert catalogue.need_search("tmdb", target=1, limit=0) == []


def test_who_has_enough_is_not_searched(catalogue: Catalogue) -> None:
    """
    Accepted, stored and verified pictures count towards the target.

    Rejected and failed ones do not.
    """
    catalogue.save_people([person(1, sitelinks=3), person(2, sitelinks=2), person(3, sitelinks=1)])
    catalogue.record_stored([stored(1, 0), stored(1, 1), stored(2, 0), stored(2, 1), failed(2, 2)])
    catalogue.add_verified([candidate(1, 2)])
    catalogue.record_verdicts([accepted(1, 0), rejected(2, 1)])

    assert catalogue.need_search("tmdb", target=3) == ["Q2", "Q3"]
    assert catalogue.need_search("tmdb", target=1) == ["Q3"]
    assert catalogue.need_search("tmdb", target=4) == ["Q1", "Q2", "Q3"]


def test_whom_others_search_is_left_out(catalogue: Catalogue) -> None:
    """
    Live claims of others on the same source are left out.

    Own ones, those on other sources and those run out are not.
    """
    catalogue.save_people([person(n, sitelinks=100 - n) for n in range(1, 5)])
    catalogue.claim(search_task("tmdb"), ["Q1"], owner=SOMEBODY, lease_s=60)
    catalogue.claim(search_task("google"), ["Q2"], owner=SOMEBODY, lease_s=60)
    catalogue.claim(search_task("tmdb"), ["Q3"], owner=SOMEBODY, lease_s=-1)
    catalogue.claim(search_task("tmdb"), ["Q4"], owner=this_owner(), lease_s=60)

    assert catalogue.need_search("tmdb", target=1) == ["Q2", "Q3", "Q4"]


def test_new_pictures_put_a_person_in_need_of_cleaning(catalogue: Catalogue) -> None:
    """A stored picture asks for cleaning until it is done; verified and failed ones do not."""
    catalogue.add_verified([candidate(1, 0)])
    catalogue.record_stored([failed(2, 0), stored(3, 0), stored(4, 0), stored(4, 1)])

    needy = catalogue.need_cleaning("checks v1")
    for cleaning in needy:
        catalogue.record_cleaned(cleaning, "checks v1")

    assert {cleaning.qid for cleaning in needy} == {"Q3", "Q4"}
    assert catalogue.need_cleaning("checks v1") == []


def test_other_checks_ask_for_cleaning_again(catalogue: Catalogue) -> None:
    """Whoever was cleaned with another fingerprint needs cleaning, however the two sort."""
    catalogue.record_stored([stored(1, 0), stored(2, 0), failed(3, 0)])
    for cleaning in catalogue.need_cleaning("m"):
        catalogue.record_cleaned(cleaning, "m")

    assert [
        {cleaning.qid for cleaning in catalogue.need_cleaning(other)}
        for other in ("a", "z", "", "m")
    ] == [
        {"Q1", "Q2"},
        {"Q1", "Q2"},
        {"Q1", "Q2"},
        set(),
    ]


def test_cleaning_may_be_asked_of_some_and_of_few(catalogue: Catalogue) -> None:
    """A list of people and a limit narrow down who is to be cleaned."""
    catalogue.record_stored([stored(n, 0) for n in range(1, 6)])
    done = catalogue.need_cleaning("v1", qids=["Q2"])
    catalogue.record_cleaned(done[0], "v1")

    assert {
        cleaning.qid
        for cleaning in catalogue.need_cleaning("v1", qids=["Q1", "Q2", "Q9", "nobody"])
    } == {"Q1"}
    assert {cleaning.qid for cleaning in catalogue.need_cleaning("v2", qids=["Q1", "Q2"])} == {
        "Q1",
        "Q2",
    }
    assert len(catalogue.need_cleaning("v1", limit=3)) == 3
    assert catalogue.need_cleaning("v1", qids=[]) == []


def test_a_picture_that_comes_during_cleaning_is_not_forgotten(catalogue: Catalogue) -> None:
    """
    A picture stored after the cleaner began keeps the person in need.

    So it does although the cleaning is recorded later.
    """
    catalogue.record_stored([stored(1, 0)])
    cleaning = catalogue.need_cleaning("v1")[0]
    catalogue.record_stored([stored(1, 1)])

    catalogue.record_cleaned(cleaning, "v1")
    again = catalogue.need_cleaning("v1")
    catalogue.record_cleaned(again[0], "v1")

    assert [one.qid for one in again] == ["Q1"]
    assert catalogue.need_cleaning("v1") == []


def test_a_slow_cleaner_takes_nothing_back(catalogue: Catalogue) -> None:
    """A cleaning of an older revision, recorded after a newer one, changes nothing."""
    catalogue.record_stored([stored(1, 0)])
    slow = catalogue.need_cleaning("v1")[0]
    catalogue.record_stored([stored(1, 1)])
    catalogue.record_cleaned(catalogue.need_cleaning("v1")[0], "v1")

    catalogue.record_cleaned(slow, "v0")

    assert catalogue.need_cleaning("v1") == []


def test_a_repeated_download_of_cleaned_pictures_needs_no_cleaning(catalogue: Catalogue) -> None:
    """A message that comes again about decided pictures does not start the cleaning anew."""
    catalogue.record_stored([stored(1, 0), stored(1, 1)])
    catalogue.record_verdicts([accepted(1, 0), rejected(1, 1)])
    catalogue.record_cleaned(catalogue.need_cleaning("v1")[0], "v1")

    catalogue.record_stored([stored(1, 0), stored(1, 1), failed(1, 2)])

    assert catalogue.need_cleaning("v1") == []


def test_people_may_be_sent_to_cleaning_again(catalogue: Catalogue) -> None:
    """
    Cleaning asked for by hand is needed until it is done.

    A cleaner that began before it does not fulfil it.
    """
    catalogue.record_stored([stored(1, 0), stored(2, 0)])
    before = catalogue.need_cleaning("v1")
    catalogue.clean_again(["Q1", "Q77", "nobody"])

    for cleaning in before:
        catalogue.record_cleaned(cleaning, "v1")

    assert [cleaning.qid for cleaning in catalogue.need_cleaning("v1")] == ["Q1"]


def test_other_portraits_ask_for_cleaning(catalogue: Catalogue) -> None:
    """
    Which picture is trusted decides about all others of a person.

    Any other news about somebody, or people without pictures, ask for nothing.
    """
    catalogue.save_people([person(number) for number in (1, 2, 3)])
    catalogue.record_stored([stored(1, 0), stored(2, 0)])
    for cleaning in catalogue.need_cleaning("v1"):
        catalogue.record_cleaned(cleaning, "v1")

    catalogue.save_people(
        [
            person(1, portraits=("https://a.example/1.jpg",)),
            person(2, sitelinks=30),
            person(3, portraits=("https://a.example/3.jpg",)),
        ]
    )

    assert [cleaning.qid for cleaning in catalogue.need_cleaning("v1")] == ["Q1"]


def test_recording_about_nobody_is_harmless(catalogue: Catalogue) -> None:
    """State of a person who is not known, or no longer, is lost without a sound and adds nobody."""
    catalogue.record_search("Q9", "tmdb", SearchState(rounds=1))
    catalogue.record_round("Q9", rounds=1, finished=True)
    catalogue.record_cleaned(Cleaning("Q9", 3), "v1")

    assert catalogue.states(["Q9"]) == {}
    assert catalogue.people() == []


def test_a_claim_keeps_others_away(catalogue: Catalogue) -> None:
    """Whoever is claimed is nobody else's for this task; other tasks and own renewals are free."""
    first = catalogue.claim("clean", ["Q1", "Q2", "Q2"], owner=SOMEBODY, lease_s=60)

    second = catalogue.claim("clean", ["Q3", "Q2", "Q1"], owner=this_owner(), lease_s=60)
    renewed = catalogue.claim("clean", ["Q1"], owner=SOMEBODY, lease_s=60)
    other_task = catalogue.claim("search:tmdb", ["Q1"], owner=this_owner(), lease_s=60)

    assert (first, second, renewed, other_task) == (["Q1", "Q2"], ["Q3"], ["Q1"], ["Q1"])


def test_a_claim_ends_with_its_lease(catalogue: Catalogue) -> None:
    """A claim whose lease has run out is free, and the new one holds; renewing moves the end."""
    catalogue.claim("clean", ["Q1", "Q2"], owner=SOMEBODY, lease_s=-1)
    catalogue.claim("clean", ["Q2"], owner=SOMEBODY, lease_s=60)

    taken = catalogue.claim("clean", ["Q1", "Q2"], owner="other|1|1", lease_s=60)

    assert taken == ["Q1"]
    assert catalogue.claim("clean", ["Q1"], owner=SOMEBODY, lease_s=60) == []


def test_only_the_owner_releases(catalogue: Catalogue) -> None:
    """Giving back somebody else's claim has no effect; giving back one's own frees it."""
    catalogue.claim("clean", ["Q1", "Q2"], owner=SOMEBODY, lease_s=60)

    catalogue.release("clean", ["Q1"], owner=this_owner())
    still = catalogue.claim("clean", ["Q1"], owner=this_owner(), lease_s=60)
    catalogue.release("clean", ["Q1", "Q7"], owner=SOMEBODY)
    catalogue.release("search:tmdb", ["Q2"], owner=SOMEBODY)

    assert still == []
    assert catalogue.claim("clean", ["Q1", "Q2"], owner=this_owner(), lease_s=60) == ["Q1"]


@pytest.mark.parametrize("empty", [[], ["Q5"]])
def test_claiming_and_releasing_what_is_not_there(catalogue: Catalogue, empty: list[str]) -> None:
    """Nobody to claim, or nothing claimed, is no error."""
    catalogue.release("clean", empty, owner=SOMEBODY)

    assert catalogue.claim("clean", [], owner=SOMEBODY, lease_s=60) == []
