"""What every catalogue promises about people who are to be forgotten."""

from __future__ import annotations

from catalogue.catalogue_backends import Backend
from catalogue.catalogue_samples import accepted, candidate, person, rejected, stored
from celebcollect.catalogue.base import Catalogue
from celebcollect.catalogue.state import SaveCounts, SearchState
from celebcollect.disk.owners import this_owner
from celebcollect.domain.records import Status


def fill(catalogue: Catalogue) -> None:
    """Two people with pictures, searches and claims."""
    catalogue.save_people(
        [
            person(
                number,
                tmdb_ids=(f"{number}00",),
                imdb_ids=(f"nm{number}",),
                aliases=(f"Alias {number}",),
            )
            for number in (1, 2)
        ]
    )
    catalogue.record_stored([stored(1, 0), stored(1, 1), stored(2, 0)])
    catalogue.record_verdicts([accepted(1, 0), rejected(1, 1), accepted(2, 0)])
    for qid in ("Q1", "Q2"):
        catalogue.record_search(qid, "tmdb", SearchState(rounds=1, offered=2))
        catalogue.claim("clean", [qid], owner=this_owner(), lease_s=60)


def test_nobody_is_forgotten_at_first(catalogue: Catalogue) -> None:
    """Forgetting begins with a request."""
    fill(catalogue)

    assert catalogue.forgotten(["Q1", "Q2", "Q3", "no qid"]) == set()


def test_forgetting_removes_everything_about_the_person_and_nothing_else(
    catalogue: Catalogue,
) -> None:
    """No person, name, picture, state or count is left; others keep theirs."""
    fill(catalogue)

    removed = catalogue.forget("Q1")

    assert removed == 2
    assert [known.qid for known in catalogue.people()] == ["Q2"]
    assert catalogue.find_people("Alias 1") == catalogue.find_people("Person 1") == []
    assert list(catalogue.images()) == [accepted(2, 0)]
    assert catalogue.known([stored(1, 0).id, stored(2, 0).id]) == {stored(2, 0).id}
    assert catalogue.with_bytes([stored(1, 0).sha256 or ""]) == []
    assert catalogue.states(["Q1", "Q2"]).keys() == {"Q2"}
    counts = catalogue.counts()
    assert (counts.celebrities, counts.images[Status.ACCEPTED], counts.images[Status.REJECTED]) == (
        1,
        1,
        0,
    )
    assert not any(counts.reasons.values())


def test_the_forgotten_are_remembered_by_other_processes(backend: Backend) -> None:
    """Another process, started later, knows whom not to collect."""
    first = backend.open()
    first.forget("Q1")
    first.close()

    second = backend.open()

    assert second.forgotten(["Q1", "Q2"]) == {"Q1"}
    second.close()


def test_nothing_brings_the_forgotten_back(catalogue: Catalogue) -> None:
    """
    Whatever is written about them afterwards has no effect.

    Others in the same call are written.
    """
    fill(catalogue)
    catalogue.forget("Q1")

    saved = catalogue.save_people([person(1), person(3)])
    new = catalogue.add_verified([candidate(1, 5), candidate(3, 5)])
    catalogue.record_stored([stored(1, 6), stored(3, 6)])
    catalogue.record_search("Q1", "tmdb", SearchState(rounds=1, offered=1))
    catalogue.record_verdicts([accepted(1, 0)])

    assert saved == SaveCounts(new=1, forgotten=1)
    assert new == 1
    assert {known.qid for known in catalogue.people()} == {"Q2", "Q3"}
    assert {image.qid for image in catalogue.images()} == {"Q2", "Q3"}
    assert catalogue.states(["Q1"]) == {}
    assert "Q1" not in catalogue.need_search("tmdb", target=10)


def test_only_the_forgotten_in_a_call_are_no_error(catalogue: Catalogue) -> None:
    """A call about nobody else does nothing."""
    catalogue.forbid(["Q1"])

    assert catalogue.save_people([person(1)]) == SaveCounts(forgotten=1)
    assert catalogue.add_verified([candidate(1, 0)]) == 0
    catalogue.record_stored([stored(1, 0)])
    assert list(catalogue.images()) == []


def test_another_item_of_the_same_person_is_the_same_person(catalogue: Catalogue) -> None:
    """Who has a forbidden TMDB or IMDb id is left out, and known under the other QID, too."""
    catalogue.forbid(["Q1"], person(1, tmdb_ids=("100",), imdb_ids=("nm1",)).external_ids)

    saved = catalogue.save_people(
        [
            person(8, tmdb_ids=("7", "100")),
            person(9, imdb_ids=("nm1",)),
            person(10, tmdb_ids=("1",), imdb_ids=("nm100",)),
        ]
    )

    assert saved == SaveCounts(new=1, forgotten=2)
    assert catalogue.forgotten(["Q1", "Q8", "Q9", "Q10"]) == {"Q1", "Q8", "Q9"}
    assert catalogue.add_verified([candidate(8, 0)]) == 0


def test_forbidding_alone_stops_the_work_and_removes_nothing(catalogue: Catalogue) -> None:
    """Between the two steps, and after a crash, nobody searches or cleans the person."""
    fill(catalogue)
    catalogue.clean_again(["Q1"])

    catalogue.forbid(["Q1"])

    assert "Q1" not in catalogue.need_search("google", target=10)
    assert "Q2" in catalogue.need_search("google", target=10)
    assert {cleaning.qid for cleaning in catalogue.need_cleaning("any")} == {"Q2"}
    assert {cleaning.qid for cleaning in catalogue.need_cleaning("any", qids=["Q1", "Q2"])} == {
        "Q2"
    }
    assert len(catalogue.person_images("Q1")) == 2


def test_forgetting_twice_and_strangers_is_harmless(catalogue: Catalogue) -> None:
    """A second time removes nothing; a person whom nobody knew is remembered all the same."""
    fill(catalogue)
    catalogue.forget("Q1")

    assert catalogue.forget("Q1") == 0
    assert catalogue.forget("Q77") == 0
    assert catalogue.forgotten(["Q1", "Q77"]) == {"Q1", "Q77"}


def test_what_was_held_against_others_is_taken_back(catalogue: Catalogue) -> None:
    """
    A picture that was doubted for the forgotten person's sake no longer says so.

    It is looked at again.
    """
    fill(catalogue)
    catalogue.record_verdicts(
        [
            rejected(
                2, 0, reason="same_picture_other_person", detail="Q1", duplicate_of=stored(1, 0).id
            )
        ]
    )
    (cleaning,) = catalogue.need_cleaning("any", qids=["Q2"])
    catalogue.record_cleaned(cleaning, "now")

    catalogue.forget("Q1")

    (left,) = catalogue.person_images("Q2")
    assert (left.duplicate_of, left.detail) == (None, None)
    assert [again.qid for again in catalogue.need_cleaning("now")] == ["Q2"]


def test_notes_lose_what_names_the_person(catalogue: Catalogue) -> None:
    """
    Entries under the QID, entries that lead to it, and notes of the person alone.

    Longer QIDs are somebody else's.
    """
    catalogue.set_note(
        "run-all", {"plan": {"limit": 3}, "people": {"Q1": 0, "Q12": 1}, "order": ["Q1", "Q12"]}
    )
    catalogue.set_note("wikidata/progress/0", {"tmdb/100": "Q1", "imdb/nm12": "Q12"})
    catalogue.set_note("clean/Q1", {"unsure": ["aa"]})
    catalogue.set_note("clean/Q12", {"unsure": ["bb"]})

    catalogue.forget("Q1")

    assert catalogue.note("run-all") == {
        "plan": {"limit": 3},
        "people": {"Q12": 1},
        "order": ["Q12"],
    }
    assert catalogue.note("wikidata/progress/0") == {"imdb/nm12": "Q12"}
    assert catalogue.note("clean/Q1") is None
    assert catalogue.note("clean/Q12") == {"unsure": ["bb"]}


def test_the_forgotten_can_be_listed_and_allowed_again(catalogue: Catalogue) -> None:
    """With the ids elsewhere, or the next look at them would forget the person again."""
    ids = person(12, tmdb_ids=("100",), imdb_ids=("nm1",)).external_ids
    catalogue.forbid(["Q12", "Q3"], ids)
    assert catalogue.all_forgotten() == ["Q3", "Q12"]

    catalogue.allow(["Q12"], ids)

    assert catalogue.all_forgotten() == ["Q3"]
    saved = catalogue.save_people([person(12, tmdb_ids=("100",)), person(3)])
    assert saved == SaveCounts(new=1, forgotten=1)
    assert catalogue.all_forgotten() == ["Q3"]


def test_rows_behind_a_person_are_found_without_the_others(catalogue: Catalogue) -> None:
    """Whoever was interrupted goes on from there."""
    catalogue.record_stored([stored(1, 0), stored(2, 0), stored(2, 1), stored(30, 0)])

    assert [row.qid for row in catalogue.images(after="Q1")] == ["Q2", "Q2", "Q30"]
    assert [row.qid for row in catalogue.images(after="Q2", status=Status.STORED)] == ["Q30"]
    assert list(catalogue.images(after="Q30")) == []
