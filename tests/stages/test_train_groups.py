"""The report counts by gender and citizenship what the evaluation measured."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from celebcollect.domain.records import Celebrity
from celebcollect.stages.train.groups import UNTOLD, GroupResult
from training import School

FACTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Q1": (("female",), ("France",)),
    "Q2": (("male",), ("France", "Japan")),
    "Q3": ((), ()),
}


def described(qids: Collection[str]) -> list[Celebrity]:
    return [
        Celebrity(qid=qid, name="x", genders=genders, citizenships=citizenships)
        for qid, (genders, citizenships) in FACTS.items()
        if qid in qids
    ]


def test_the_report_counts_by_gender_and_citizenship(tmp_path: Path) -> None:
    """Whoever has two citizenships counts in both, and whoever has none is told so."""
    school = School(tmp_path)
    school.people(1, 2, 3, 4, shots=20)

    measured = school.train(described=described).evaluation

    groups = {(group.gender, group.citizenship): group for group in measured.groups}
    assert set(groups) == {
        ("female", None), ("male", None), (UNTOLD, None),
        (None, "France"), (None, "Japan"), (None, UNTOLD),
        ("female", "France"), ("male", "France"), ("male", "Japan"), (UNTOLD, UNTOLD),
    }  # fmt: skip
    by_qid = {person.qid: person for person in measured.people}
    france = groups[None, "France"]
    assert france == GroupResult(
        None,
        "France",
        people=2,
        held_out=by_qid["Q1"].held_out + by_qid["Q2"].held_out,
        right=by_qid["Q1"].right + by_qid["Q2"].right,
        unknown=by_qid["Q1"].unknown + by_qid["Q2"].unknown,
        wrong=0,
        strangers=by_qid["Q1"].held_out + by_qid["Q2"].held_out,
        strangers_accepted=0,
    )
    assert groups[UNTOLD, None].people == 2
    assert sum(groups[key].strangers for key in groups if key[1] is None) == measured.strangers


def test_without_facts_there_are_no_groups(tmp_path: Path) -> None:
    """A set from a topic alone says nothing of genders."""
    school = School(tmp_path)
    school.people(1, 2, shots=20)

    assert school.train().evaluation.groups == ()
