"""What every catalogue promises about faces."""

from __future__ import annotations

from dataclasses import replace

from catalogue.catalogue_backends import Backend
from celebcollect.catalogue.base import Catalogue
from celebcollect.catalogue.state import PersonFace


def face(number: int, held_against: str | None = None) -> PersonFace:
    return PersonFace(
        f"Q{number}",
        "model 1",
        bytes(range(number, number + 16)),
        trusted=number % 2 == 0,
        image=f"Q{number}:a",
        held_against=held_against,
    )


def test_a_face_is_read_as_it_was_written(backend: Backend) -> None:
    """By any process; nobody's face is nobody's, and an empty one is one."""
    first, second = backend.open(), backend.open()
    first.record_face(face(1))
    first.record_face(face(2, held_against="Q1"))
    first.record_face(replace(face(3), mean=b""))

    found = second.faces_of(["Q1", "Q2", "Q3", "Q4", "no qid"])

    assert found == {
        "Q1": face(1),
        "Q2": face(2, held_against="Q1"),
        "Q3": replace(face(3), mean=b""),
    }
    assert second.faces_of([]) == {}
    for catalogue in (first, second):
        catalogue.close()


def test_a_face_replaces_the_former_one(catalogue: Catalogue) -> None:
    """Also where the new one is held against nobody any more."""
    catalogue.record_face(face(1, held_against="Q5"))
    catalogue.record_face(face(2, held_against="Q5"))

    catalogue.record_face(face(1))

    assert catalogue.faces_of(["Q1"]) == {"Q1": face(1)}
    assert catalogue.faces_held_against("Q5") == {"Q2"}
    assert catalogue.faces_held_against("Q6") == set()


def test_what_is_new_comes_after_a_mark(catalogue: Catalogue) -> None:
    """
    All faces from the beginning.

    After that every change, while what was there before need not come again.
    """
    catalogue.record_face(face(1))
    catalogue.record_face(face(2))
    everything, mark = catalogue.faces_since(0)

    nothing, same = catalogue.faces_since(mark)
    changed = replace(face(1), trusted=True)
    catalogue.record_face(changed)
    catalogue.record_face(face(3))
    new, later = catalogue.faces_since(mark)

    assert {one.qid: one for one in everything} == {"Q1": face(1), "Q2": face(2)}
    assert {one.qid for one in nothing} <= {"Q1", "Q2"}
    assert same == mark <= later
    assert {one.qid: one for one in new if one.qid != "Q2"} == {"Q1": changed, "Q3": face(3)}


def test_the_forgotten_have_no_face(catalogue: Catalogue) -> None:
    """It is removed, others no longer name them, and it does not come back."""
    catalogue.record_face(face(1))
    catalogue.record_face(face(2, held_against="Q1"))

    catalogue.forget("Q1")
    catalogue.record_face(face(1))

    assert catalogue.faces_of(["Q1", "Q2"]) == {"Q2": face(2)}
    assert catalogue.faces_held_against("Q1") == set()
    assert [one.qid for one in catalogue.faces_since(0)[0]] == ["Q2"]
