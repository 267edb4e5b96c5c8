"""Decisions about people who concern each other come to an end, and to the same one in any order.

Faces and files are points and hashes here; nothing is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.domain.records import Status
from stages.clean_society import (
    PASSES,
    PEOPLE,
    Society,
    counter,
    play,
)

pytestmark = pytest.mark.slow


person_ = st.integers(0, PEOPLE - 1)
put_ = st.tuples(
    st.just("put"),
    person_,
    st.integers(0, 11),
    st.integers(0, 2),
    st.sampled_from([False] * 5 + [True]),
)
restore_ = st.tuples(st.just("restore"), person_, st.integers(0, 5))
set_ = st.tuples(st.just("set"), st.sampled_from(["bits", "min_cluster"]), st.integers(1, 6))
steps_ = st.lists(st.one_of(put_, put_, restore_, set_), min_size=2, max_size=14)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCatalogue]:
    """One catalogue for all examples, which take other people each."""
    found = EmbeddedCatalogue(tmp_path_factory.mktemp("society") / "catalogue.sqlite3")
    yield found
    found.close()


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps_)
def test_cleaning_ends_after_any_sequence(
    catalogue: EmbeddedCatalogue, steps: Sequence[Any]
) -> None:
    """Restored, rejected, new pictures and other thresholds: a bound on the passes, then rest."""
    society = Society(catalogue, next(counter))

    play(society, steps, often=True)
    before = society.verdicts()
    catalogue.clean_again([society.qid(person) for person in range(PEOPLE)])
    society.clean(passes=1)

    assert society.verdicts() == before


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    puts=st.lists(put_, min_size=2, max_size=12, unique_by=lambda put: (put[1], put[2])),
    order=st.permutations(range(PEOPLE)),
    shuffled=st.randoms(),
)
def test_no_order_changes_the_verdicts(
    catalogue: EmbeddedCatalogue, puts: Sequence[Any], order: Sequence[int], shuffled: Any
) -> None:
    """Whoever is cleaned first, and whichever picture comes first."""
    outcomes = []
    # Portraits are proved once for each person, else the order of the proofs would matter.
    seen: set[int] = set()
    once = []
    for put in puts:
        once.append((*put[:4], put[4] and put[1] not in seen))
        seen |= {put[1]} if put[4] else set()
    again = list(once)
    shuffled.shuffle(again)
    first = next(counter)
    for steps, people in ((once, ()), (again, order)):
        folder = Society(catalogue, first if steps is once else next(counter))
        play(folder, steps, often=steps is again)
        folder.clean(people, passes=3 * PASSES)
        outcomes.append(folder.verdicts())

    assert outcomes[0] == outcomes[1]


def test_one_picture_restored_for_two_people_comes_to_rest(catalogue: EmbeddedCatalogue) -> None:
    """Both keep it, and neither sends the other to be cleaned again and again."""
    society = Society(catalogue, next(counter), {"min_cluster": 1})
    for person in (0, 1):
        society.put(person, 0, 0)
    society.clean()
    assert {verdict[1] for verdict in society.verdicts().values()} == {"same_picture_other_person"}
    for person in (0, 1):
        society.restore(person, 0)

    society.clean()
    rest = list(society.cleaned)
    society.clean()

    assert {verdict[0] for verdict in society.verdicts().values()} == {"accepted"}
    assert len(rest) <= 4
    assert society.cleaned == []


def test_a_folder_that_could_not_come_to_rest_does_now(catalogue: EmbeddedCatalogue) -> None:
    """What a former version left when it was killed: both restored, both in doubt, both due."""
    society = Society(catalogue, next(counter), {"min_cluster": 1})
    for person in (0, 1):
        society.put(person, 0, 0)
        society.put(person, 4, 0)
    left = {"restored_from": "same_picture_other_person", "duplicate_of": None}
    rows = [row for person in (0, 1) for row in catalogue.person_images(society.qid(person))]
    for number, row in enumerate(rows):
        said = ("accepted", "same_face_other_person"), ("rejected", "same_picture_other_person")
        status, reason = said[number % 2]
        update = {**left, "status": Status(status), "reason": reason}
        other = rows[-1 - number].id
        catalogue.record_verdicts(
            [row.model_copy(update={**update, "duplicate_of": other, "rejected_by": "shared"})]
        )
    for _ in range(20):
        catalogue.clean_again([society.qid(0), society.qid(1)])

    society.clean()
    rest = list(society.cleaned)
    society.clean()

    assert 2 <= len(rest) <= 6
    assert society.cleaned == []
