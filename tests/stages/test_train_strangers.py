"""From when on a face is nobody's: the same for people of every group.

Half of the people of the shared embeddings are known, the others are strangers, many times over.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from celebcollect.stages.train.model import StrangerRule

pytestmark = pytest.mark.slow

RIGHT_PROMISED = {"dlib": 88, "yunet-sface": 92}
"""Percent of known people's unseen photographs that are named."""
TAKEN_AT_MOST = 2
"""Percent of the strangers of a group, where 1 % of all are asked for."""


def check(what: str, figures: Mapping[str, Any], engine: str) -> None:
    """Print what was measured, and hold it against what is promised."""
    taken = {
        group: one.taken_percent
        for group, one in sorted(figures.items())
        if len(one.photographs) >= 45
    }
    right = figures["all"].right_percent
    told = ", ".join(f"{group} {share:.2f} %" for group, share in taken.items())
    sys.stdout.write(f"{what}: named right {right:.1f} %, strangers taken: {told}\n")
    assert len(taken) >= 5
    assert max(taken.values()) <= TAKEN_AT_MOST, taken
    assert right >= RIGHT_PROMISED[engine]


@pytest.mark.parametrize("engine", RIGHT_PROMISED)
def test_strangers_of_no_group_are_taken_for_somebody(
    fair: Mapping[str, ModuleType], embeddings: Path, engine: str
) -> None:
    """One in a hundred asked for, at most two in each group; the known are named all the same."""
    naming = fair["fair_identify"].FairNaming(embeddings, engine)

    check(engine, naming.figures(splits=20, seed=13), engine)

    assert {model.rule for model in naming.models} == {StrangerRule.CROWD}


@pytest.mark.parametrize("people", [3, 10, 19])
@pytest.mark.parametrize("engine", RIGHT_PROMISED)
def test_few_known_people_take_no_strangers_either(
    fair: Mapping[str, ModuleType], embeddings: Path, engine: str, people: int
) -> None:
    """They cannot choose a threshold: the engine's own holds."""
    naming = fair["fair_identify"].FairNaming(embeddings, engine)

    figures = naming.figures(splits=20, seed=13, known=people)

    check(f"{engine}, {people} people", figures, engine)
    assert len({model.threshold for model in naming.models}) == 1
