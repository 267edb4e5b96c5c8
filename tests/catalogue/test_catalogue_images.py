"""What every catalogue promises about images."""

from __future__ import annotations

import pytest

from catalogue.catalogue_samples import accepted, candidate, failed, person, rejected, stored
from celebcollect.catalogue.base import Catalogue
from celebcollect.domain.records import Image, Status


def test_verified_rows_come_back_as_they_were(catalogue: Catalogue) -> None:
    """
    Every field of an image survives the way through the catalogue.

    Odd text, huge numbers and parts of a second do, too.
    """
    row = candidate(
        1,
        0,
        name="O'\"; 🎤 محمد",
        url="https://a.example/%00?q={$gt:''}&x=../../etc/passwd\u202e",
        page_url="https://b.example/\x00",
        page_title='"quoted" <b>',
        licence="CC BY 4.0",
        rank=10**30,
        profession="singer",
    )

    new = catalogue.add_verified([row])

    assert new == 1
    assert catalogue.images_by_id([row.id]) == {row.id: row}
    assert catalogue.person_images("Q1") == [row]


def test_adding_again_changes_nothing(catalogue: Catalogue) -> None:
    """
    A candidate that comes again stays as it was first.

    It is not counted, whether it comes in the same call or later.
    """
    first = [candidate(1, 0), candidate(1, 1)]
    catalogue.add_verified(first)

    new = catalogue.add_verified(
        [candidate(1, 0, page_title="another"), candidate(1, 2), candidate(1, 2)]
    )

    assert new == 1
    assert catalogue.images_by_id([first[0].id])[first[0].id] == first[0]
    assert catalogue.counts().images[Status.VERIFIED] == 3


def test_known_tells_which_ids_exist(catalogue: Catalogue) -> None:
    """Of many ids, those that exist are told, and no text is taken for one."""
    rows = [candidate(n % 7 + 1, n) for n in range(600)]
    catalogue.add_verified(rows)

    asked = [row.id for row in rows] + [
        candidate(9, 9).id,
        "",
        "Q1",
        "Q1:",
        "'; --",
        "Q" + "9" * 30 + ":1",
        "Q1:\x00",
    ]

    assert catalogue.known(asked) == {row.id for row in rows}
    assert catalogue.known([]) == set()
    assert catalogue.images_by_id([]) == {}


def test_an_id_of_another_person_is_refused(catalogue: Catalogue) -> None:
    """
    An image whose id does not begin with its person is a mistake of the program.

    Nothing of the batch is written.
    """
    with pytest.raises(ValueError, match="Q2"):
        catalogue.add_verified([candidate(1, 0), candidate(2, 0, id="Q1:00")])

    assert catalogue.known([candidate(1, 0).id]) == set()


def test_a_download_is_written_once(catalogue: Catalogue) -> None:
    """What `store` found replaces a verified row; a repeated message changes nothing."""
    catalogue.add_verified([candidate(1, 0)])

    catalogue.record_stored([stored(1, 0)])
    catalogue.record_stored([stored(1, 0)])

    assert catalogue.person_images("Q1") == [stored(1, 0)]
    assert catalogue.counts().images[Status.STORED] == 1


@pytest.mark.parametrize("settled", [stored(1, 0), accepted(1, 0), rejected(1, 0)])
def test_a_late_download_overrides_nothing(catalogue: Catalogue, settled: Image) -> None:
    """A row that is stored, accepted or rejected stays, whatever a repeated download says."""
    catalogue.record_stored([stored(1, 0)])
    catalogue.record_verdicts([settled])

    catalogue.record_stored([failed(1, 0), stored(1, 0, bytes=9)])

    assert catalogue.person_images("Q1") == [settled]


def test_a_failed_download_may_succeed_later(catalogue: Catalogue) -> None:
    """A failed row takes the outcome of the next attempt, failed or stored."""
    catalogue.record_stored([failed(1, 0)])

    catalogue.record_stored([failed(1, 0, attempts=2)])
    again = catalogue.person_images("Q1")
    catalogue.record_stored([stored(1, 0)])

    assert again == [failed(1, 0, attempts=2)]
    assert catalogue.person_images("Q1") == [stored(1, 0)]


def test_the_same_row_twice_in_one_call(catalogue: Catalogue) -> None:
    """In one call too, a stored row stays, and a failed one takes what comes later."""
    catalogue.record_stored([stored(1, 0), failed(1, 0), failed(1, 1), stored(1, 1)])

    assert {row.status for row in catalogue.person_images("Q1")} == {Status.STORED}


def test_many_rows_go_in_one_call(catalogue: Catalogue) -> None:
    """A call may bring more rows than a server takes at once."""
    places = range(130)
    catalogue.add_verified([candidate(1, place) for place in places])

    catalogue.record_stored([stored(1, place) for place in places])
    catalogue.record_verdicts([accepted(1, place) for place in places])

    assert sorted(catalogue.person_images("Q1"), key=lambda row: row.url) == sorted(
        (accepted(1, place) for place in places), key=lambda row: row.url
    )


def test_a_download_without_a_row_adds_it(catalogue: Catalogue) -> None:
    """When the row and the person were never written, or lost, `store` brings them back."""
    catalogue.record_stored([stored(5, 0), failed(6, 0)])

    assert catalogue.images_by_id([stored(5, 0).id, failed(6, 0).id]) == {
        stored(5, 0).id: stored(5, 0),
        failed(6, 0).id: failed(6, 0),
    }
    assert [found.qid for found in catalogue.people()] == ["Q5", "Q6"]


def test_rows_are_found_by_their_bytes(catalogue: Catalogue) -> None:
    """
    All rows with the same bytes are found, of whatever person and status.

    A row without bytes is not.
    """
    sha = "ab" * 32
    rows = [stored(2, 0, sha256=sha), stored(1, 1, sha256=sha), stored(1, 0, sha256=sha)]
    catalogue.record_stored([*rows, stored(3, 0), failed(4, 0)])
    catalogue.record_verdicts([rejected(1, 1, sha256=sha)])

    found = catalogue.with_bytes([sha, "cd" * 32])

    assert sorted((row.qid, row.status) for row in found) == [
        ("Q1", Status.REJECTED),
        ("Q1", Status.STORED),
        ("Q2", Status.STORED),
    ]
    assert catalogue.with_bytes([]) == []


def test_verdicts_replace_rows_that_exist(catalogue: Catalogue) -> None:
    """A verdict replaces its row; one about a row that is gone does not bring it back."""
    catalogue.record_stored([stored(1, 0), stored(1, 1)])

    catalogue.record_verdicts([accepted(1, 0), rejected(1, 1), accepted(9, 9)])
    catalogue.record_verdicts([accepted(1, 0), rejected(1, 1)])

    assert {row.id: row for row in catalogue.person_images("Q1")} == {
        row.id: row for row in (accepted(1, 0), rejected(1, 1))
    }
    assert catalogue.known([accepted(9, 9).id]) == set()


def test_images_come_by_person_and_id(catalogue: Catalogue) -> None:
    """All rows come in the order of QID numbers, then ids, each once, also over many pages."""
    rows = [candidate(number, place) for number in (2, 10, 9, 100) for place in range(310)]
    catalogue.add_verified(rows)

    found = list(catalogue.images())

    assert [row.id for row in found] == [
        row.id for row in sorted(rows, key=lambda row: (int(row.qid[1:]), row.id))
    ]
    assert [row.id for row in catalogue.images(qid="Q9")] == [
        row.id for row in found if row.qid == "Q9"
    ]
    assert list(catalogue.images(qid="Q3")) == []


def test_images_are_filtered_by_status(catalogue: Catalogue) -> None:
    """Only rows of the wanted status come, of everybody or of one person."""
    catalogue.record_stored([stored(1, 0), failed(1, 1), failed(2, 0), stored(3, 0)])
    catalogue.record_verdicts([accepted(3, 0)])

    assert [row.id for row in catalogue.images(status=Status.FAILED)] == [
        failed(1, 1).id,
        failed(2, 0).id,
    ]
    assert [row.id for row in catalogue.images(status=Status.FAILED, qid="Q2")] == [failed(2, 0).id]
    assert list(catalogue.images(status=Status.VERIFIED)) == []


def test_images_may_be_walked_while_they_are_written(catalogue: Catalogue) -> None:
    """
    A walk sees every row that was there before it began, in order and once.

    So it does whatever is written meanwhile.
    """
    before = [candidate(number, place) for number in range(1, 8) for place in range(200)]
    catalogue.add_verified(before)

    seen = []
    for position, row in enumerate(catalogue.images()):
        seen.append(row.id)
        if position % 300 == 0:
            catalogue.record_stored([stored(number, position) for number in (1, 4, 20)])
            catalogue.record_verdicts([rejected(2, position % 200)])

    assert len(seen) == len(set(seen))
    assert {row.id for row in before} <= set(seen)


def test_counts_follow_every_change(catalogue: Catalogue) -> None:
    """
    Every candidate is counted in exactly one of the five states.

    The reasons of the lost ones add up.
    """
    nothing = catalogue.counts()
    catalogue.save_people([person(1), person(2)])
    catalogue.add_verified([candidate(1, place) for place in range(6)])
    catalogue.record_stored(
        [
            stored(1, 0),
            stored(1, 1),
            stored(1, 2),
            failed(1, 3),
            failed(1, 4, reason="timeout"),
            failed(3, 0, reason="timeout"),
        ]
    )
    catalogue.record_verdicts([accepted(1, 0), rejected(1, 1, reason="duplicate"), rejected(1, 2)])
    catalogue.record_verdicts([rejected(1, 1, reason="wrong_person"), rejected(1, 2)])

    counts = catalogue.counts()

    assert (nothing.celebrities, nothing.images, nothing.reasons) == (
        0,
        dict.fromkeys(Status, 0),
        {},
    )
    assert counts.celebrities == 3
    assert counts.images == {
        Status.VERIFIED: 1,
        Status.STORED: 0,
        Status.ACCEPTED: 1,
        Status.REJECTED: 2,
        Status.FAILED: 3,
    }
    assert counts.reasons == {"timeout": 2, "not_found": 1, "too_small": 1, "wrong_person": 1}
    assert catalogue.states(["Q1"])["Q1"].images == {
        Status.VERIFIED: 1,
        Status.STORED: 0,
        Status.ACCEPTED: 1,
        Status.REJECTED: 2,
        Status.FAILED: 2,
    }


def test_notes_are_kept_replaced_and_removed(catalogue: Catalogue) -> None:
    """A note holds any JSON under any key, until it is replaced or removed."""
    value = {"a.b$c": [1, 2.5, None, True], "محمد": {"": "x\u0000y"}, "big": 10**25}
    catalogue.set_note("google: $cool.down\x00", value)
    catalogue.set_note("other", {"n": 1})

    first = catalogue.note("google: $cool.down\x00")
    catalogue.set_note("other", {"n": 2})
    second = catalogue.note("other")
    catalogue.set_note("other", None)
    catalogue.set_note("never there", None)

    assert first == value
    assert second == {"n": 2}
    assert catalogue.note("other") is None
