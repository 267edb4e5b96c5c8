"""Choose the constants of identity on some people, by a rule that is written down.

For albums: of all constants under which at most 2 % of the pairs of two people of one sex match in
any group of four people and more, those with which most right pictures stay, where a wrong one that
stays counts against ten right ones and every group weighs as much as another; of equals the
stricter. For strangers: the largest limit at which at most 1 % of the photographs of every group of
30 and more would be taken for somebody else, each person taken out in turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from fair_albums import FairAlbums
from fair_people import Numbers

from celebcollect.checks.clusters import average_link
from celebcollect.stages.train.model import FaceSample, StrangerRule, fit
from celebcollect.vision.likeness import CrowdedLimit, Likeness, Scores
from celebcollect.vision.numbers import EngineNumbers

LIMITS = {
    "dlib": (0.54, 0.56, 0.58, 0.60),
    "yunet-sface": (1.00, 1.025, 1.05, 1.075, 1.10, 1.125, 1.15),
}
RATIOS = (0.98, 1.00, 1.02, 1.04)
LINKS = (1.04, 1.08, 1.12)
STRANGER_LIMITS = np.arange(0.60, 1.00, 0.01)

PAIRS = 2.0
"""Percent; stricter than the 3 that are promised for others."""
PEOPLE = 4
"""Groups of fewer do not tell a share of pairs: two people who look alike are all there is."""
COST_OF_WRONG = 10
"""A wrong picture that stays is as bad as so many right ones that go (a choice)."""
DRAWS = 4
TAKEN = 0.01
PHOTOGRAPHS = 30
"""Groups of fewer photographs do not tell a share of 1 %."""


def choose(file: Path, engine: str, people: Collection[str], *, seed: int) -> EngineNumbers:
    """Return the engine's numbers with the constants that the rule chooses on these people."""
    albums = FairAlbums(file, engine)
    mine = np.isin(albums.person, list(people))
    source = np.random.default_rng(seed)
    drawn = [album for _ in range(DRAWS) for album in albums.albums(source, mine, mine)]
    usual = albums.check.numbers
    fair = isinstance(usual.likeness, CrowdedLimit)
    best: tuple[float, EngineNumbers] | None = None
    for limit, ratio in product(LIMITS[engine], RATIOS if fair else (0.0,)):
        changes = {"limit": limit, "ratio": ratio} if fair else {"limit": limit}
        likeness = replace(usual.likeness, **changes)  # type: ignore[arg-type]
        scores = _scores(albums, likeness)
        if _matching(albums, scores, mine) > PAIRS:
            continue
        for link in LINKS:
            worth = _worth(albums, drawn, scores, link)
            if best is None or worth > best[0]:
                best = worth, replace(usual, likeness=likeness, link=link)
    if best is None:
        raise ValueError(f"with all constants more than {PAIRS} % of some group's pairs match")
    return _with_stranger_limit(albums, mine, best[1])


def _scores(albums: FairAlbums, likeness: Likeness) -> Scores:
    """Return the scores of all pairs of faces that are seen; far apart where one is not."""
    seen = np.flatnonzero(albums.seen)
    scores = np.full((len(albums.points),) * 2, np.inf, dtype=np.float32)
    scores[np.ix_(seen, seen)] = likeness.scores(albums.points[seen], albums.points[seen])
    np.fill_diagonal(scores, 0)
    return scores


def _matching(albums: FairAlbums, scores: Scores, mine: Numbers) -> float:
    """Return the largest share of any group's pairs of two people of one sex that match."""
    rows = np.flatnonzero(mine & albums.seen)
    person, group, sex = albums.person[rows], albums.group[rows], albums.sex[rows]
    two = (person[:, None] != person) & (sex[:, None] == sex) & (group[:, None] == group)
    within = scores[np.ix_(rows, rows)] <= 1
    return max(
        (
            100 * float((within & two)[group == one].sum()) / two[group == one].sum()
            for one in np.unique(group)
            if len(np.unique(person[group == one])) >= PEOPLE
        ),
        default=0.0,
    )


def _worth(
    albums: FairAlbums, drawn: Sequence[tuple[Numbers, Numbers, int]], scores: Scores, link: float
) -> float:
    """Return what the rule says of the albums: the mean of the groups, each as much as another."""
    usable, right, wrong = Counter[str](), Counter[str](), Counter[str]()
    for own, strange, reference in drawn:
        rows = np.concatenate([own, strange])
        group = str(albums.group[own[0]])
        usable[group] += int(albums.usable[own].sum())
        for cluster in average_link(scores[np.ix_(rows, rows)], link):
            faces = rows[cluster]
            if scores[faces, reference].mean() <= 1 or reference in faces:
                mine = np.isin(faces, own)
                right[group] += int(albums.usable[faces[mine]].sum())
                wrong[group] += int((~mine).sum())
    worth = [
        right[one] / max(1, usable[one]) - COST_OF_WRONG * wrong[one] / (right[one] + wrong[one])
        for one in usable
        if right[one]
    ]
    return float(np.mean(worth))


def _with_stranger_limit(
    albums: FairAlbums, mine: Numbers, numbers: EngineNumbers
) -> EngineNumbers:
    """Return the numbers with the limit for strangers that the people choose."""
    rows = np.flatnonzero(mine & albums.seen)
    everybody = sorted(set(albums.person[rows]))
    samples = [
        FaceSample(
            f"Q{everybody.index(albums.person[row]) + 1}", "-", f"{row:064x}", albums.points[row]
        )
        for row in rows
    ]
    # In the order that `fit` gives them.
    rows = rows[np.argsort([everybody.index(albums.person[row]) for row in rows], kind="stable")]
    likeness = numbers.likeness
    empty = np.empty((0, albums.points.shape[1]), dtype=np.float32)
    model = replace(
        fit(samples, threshold=1, embedding_version=""),
        rule=StrangerRule.CROWD,
        crowd=likeness.prototypes if isinstance(likeness, CrowdedLimit) else empty,
        neighbours=numbers.strangers.neighbours,
    )
    scores, group = model.strangers(), albums.group[rows]
    large = [one for one in np.unique(group) if (group == one).sum() >= PHOTOGRAPHS]
    fit_for_all = [
        limit
        for limit in STRANGER_LIMITS
        if all((scores[group == one] <= limit).mean() <= TAKEN for one in large)
    ]
    crowd = round(float(max(fit_for_all, default=STRANGER_LIMITS[0])), 2)
    return replace(numbers, strangers=replace(numbers.strangers, crowd=crowd))
