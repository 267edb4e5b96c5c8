"""How good a classifier is by group of gender and citizenship, as Wikidata has them (P21, P27)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from celebcollect.domain.records import Celebrity

UNTOLD = "not told"

Described = Callable[[Collection[str]], Collection[Celebrity]]
"""Returns what is known of some people (QIDs): `Catalogue.people`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one unseen photograph."""

    qid: str
    known: bool
    """The person was on the training side."""
    right: bool
    unknown: bool
    accepted: bool
    """Taken for somebody once its person was made a stranger."""


@dataclass(frozen=True, slots=True)
class GroupResult:
    """How the unseen photographs of one group of people fared."""

    gender: str | None
    """None: people of every gender."""
    citizenship: str | None
    """None: people of every citizenship."""
    people: int
    held_out: int
    right: int
    unknown: int
    wrong: int
    strangers: int
    strangers_accepted: int


def by_group(
    answers: Sequence[Answer], described: Mapping[str, Celebrity]
) -> tuple[GroupResult, ...]:
    """
    Count by gender, by citizenship and by both, the largest groups first.

    Whoever has several of one kind counts in each of them.
    """
    groups: dict[tuple[str | None, str | None], list[Answer]] = {}
    for answer in answers:
        for group in _groups(described.get(answer.qid)):
            groups.setdefault(group, []).append(answer)
    results = [_result(group, told) for group, told in groups.items()]
    results.sort(
        key=lambda one: (
            (one.gender is not None) + 2 * (one.citizenship is not None),
            -one.strangers,
            one.gender or "",
            one.citizenship or "",
        )
    )
    return tuple(results)


def _groups(person: Celebrity | None) -> Iterator[tuple[str | None, str | None]]:
    genders = sorted(set(person.genders)) if person else []
    citizenships = sorted(set(person.citizenships)) if person else []
    for gender in genders or [UNTOLD]:
        yield gender, None
        for citizenship in citizenships or [UNTOLD]:
            yield gender, citizenship
    for citizenship in citizenships or [UNTOLD]:
        yield None, citizenship


def _result(group: tuple[str | None, str | None], answers: Sequence[Answer]) -> GroupResult:
    mine = [answer for answer in answers if answer.known]
    right = sum(answer.right for answer in mine)
    unknown = sum(answer.unknown for answer in mine)
    return GroupResult(
        *group,
        people=len({answer.qid for answer in answers}),
        held_out=len(mine),
        right=right,
        unknown=unknown,
        wrong=len(mine) - right - unknown,
        strangers=len(answers),
        strangers_accepted=sum(answer.accepted for answer in answers),
    )
