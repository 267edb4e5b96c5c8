"""Measure a classifier on photographs that it has not seen.

They are from pages of the data set's validation and test sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from celebcollect.domain.clean_record import CleanRecord
from celebcollect.domain.records import Celebrity
from celebcollect.stages.export.split import split_of
from celebcollect.stages.train.dataset import Usable
from celebcollect.stages.train.groups import Answer, GroupResult, by_group
from celebcollect.stages.train.model import FaceSample, Model

BIN = 0.02
"""Width of the histogram's bins; faces of one person lie 0.2 to 0.6 apart, those of two mostly 0.6
to 1.0."""
BINS = 60

Flags = npt.NDArray[np.bool_]

Fit = Callable[[Sequence[FaceSample]], Model]
"""Trains a classifier, its rule for strangers included."""

MAX_ERRORS = 24
"""Worst errors that are told, most wrong first."""


@dataclass(frozen=True, slots=True)
class PersonResult:
    """How one person's unseen photographs fared."""

    qid: str
    name: str
    pictures: int
    held_out: int
    right: int
    unknown: int
    wrong: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """So many photographs of one person that were taken for another."""

    qid: str
    taken_for: str
    """A QID, or `unknown`."""
    pictures: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """One photograph that was taken for another person, or not recognised."""

    qid: str
    taken_for: str
    distance: float
    sha256: str
    path: str
    page_url: str | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """
    What the unseen photographs showed.

    Numbers are shares of 0 to 1, None where nothing was measured.
    """

    trained_on: int = 0
    """Photographs of the training side; the model that is saved is trained on the others too."""
    held_out: int = 0
    """Unseen photographs of people whom the training side shows."""
    closed_accuracy: float | None = None
    """Right when nobody may be `unknown`."""
    recognised: float | None = None
    """Right and near enough."""
    rejected: float | None = None
    """Taken for `unknown`."""
    confused: float | None = None
    """Taken for somebody else."""
    strangers: int = 0
    """Unseen photographs whose person the model was made to forget, one at a time."""
    strangers_accepted: float | None = None
    people: tuple[PersonResult, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    groups: tuple[GroupResult, ...] = ()
    """By gender, by citizenship and by both; empty where nothing is known of them."""
    own_distances: tuple[int, ...] = field(default=())
    """Histogram of what the model's rule compares with its threshold, where the person is right, in
    steps of 0.02; the last bin takes the rest."""
    stranger_distances: tuple[int, ...] = field(default=())
    """The same where the person is a stranger."""


def evaluate(
    usable: Usable, fit: Fit, described: Mapping[str, Celebrity] | None = None
) -> Evaluation:
    """
    Train on the training side and ask about the rest.

    `described` says what is known of the people, by QID: their groups are counted.

    The evaluation is empty where the set is too small: fewer than two people on the training side,
    or nothing held out.
    """
    pairs = list(zip(usable.records, usable.samples, strict=True))
    sides = [split_of(record.page_url, record.sha256) == "train" for record in usable.records]
    seen = [sample for (_, sample), train in zip(pairs, sides, strict=True) if train]
    unseen = [pair for pair, train in zip(pairs, sides, strict=True) if not train]
    if len({sample.qid for sample in seen}) < 2 or not unseen:
        return Evaluation(trained_on=len(seen))
    return _measure(fit(seen), unseen, usable.samples, described or {})


def _measure(
    model: Model,
    unseen: Sequence[tuple[CleanRecord, FaceSample]],
    samples: Sequence[FaceSample],
    described: Mapping[str, Celebrity],
) -> Evaluation:
    index = {person.qid: number for number, person in enumerate(model.people)}
    faces = np.stack([sample.vector for _, sample in unseen])
    truth = np.array([index.get(sample.qid, -1) for _, sample in unseen])
    guesses, strangers = model.guess(faces), model.guess(faces, but=truth.tolist())
    mine = [row for row, person in enumerate(truth) if person >= 0]
    hit = guesses.people == truth
    right, wrong, unknown = hit & guesses.known, ~hit & guesses.known, ~guesses.known
    taken_for = [
        model.people[guess].qid if known else "unknown"
        for guess, known in zip(guesses.people, guesses.known, strict=True)
    ]
    qids = [sample.qid for _, sample in unseen]
    mistaken = _worst_first([row for row in mine if not right[row]], unknown, guesses.scores)
    answers = [
        Answer(qid, *(bool(flag) for flag in flags))
        for qid, *flags in zip(qids, truth >= 0, right, unknown, strangers.known, strict=True)
    ]
    return Evaluation(
        trained_on=len(model.vectors),
        held_out=len(mine),
        closed_accuracy=_share(hit[mine]),
        recognised=_share(right[mine]),
        rejected=_share(unknown[mine]),
        confused=_share(wrong[mine]),
        strangers=len(unseen),
        strangers_accepted=_share(strangers.known),
        people=_people(samples, [qids[row] for row in mine], right[mine], unknown[mine]),
        confusions=_confusions((qids[row], taken_for[row]) for row in mine if not right[row]),
        mistakes=tuple(
            _mistake(unseen[row][0], taken_for[row], float(guesses.distances[row]))
            for row in mistaken[:MAX_ERRORS]
        ),
        groups=by_group(answers, described) if described else (),
        own_distances=_histogram(guesses.scores[mine][hit[mine]]),
        stranger_distances=_histogram(strangers.scores),
    )


def _worst_first(
    rows: Sequence[int], unknown: Flags, scores: npt.NDArray[np.float64]
) -> Sequence[int]:
    """Sort by who was taken for somebody else, surest first; then who was not recognised."""
    return sorted(
        rows, key=lambda row: (unknown[row], scores[row] * (-1 if unknown[row] else 1), row)
    )


def _confusions(pairs: Iterable[tuple[str, str]]) -> tuple[Confusion, ...]:
    counted = sorted(Counter(pairs).items(), key=lambda item: (-item[1], item[0]))
    return tuple(Confusion(qid, other, n) for (qid, other), n in counted)


def _people(
    samples: Sequence[FaceSample], held_out: Sequence[str], right: Flags, unknown: Flags
) -> tuple[PersonResult, ...]:
    names: dict[str, str] = {}
    for sample in samples:
        names[sample.qid] = min(names.get(sample.qid, sample.name), sample.name)
    pictures, asked = Counter(sample.qid for sample in samples), Counter(held_out)
    hits = Counter(qid for qid, flag in zip(held_out, right, strict=True) if flag)
    rejected = Counter(qid for qid, flag in zip(held_out, unknown, strict=True) if flag)
    return tuple(
        PersonResult(
            qid,
            name,
            pictures[qid],
            asked[qid],
            hits[qid],
            rejected[qid],
            asked[qid] - hits[qid] - rejected[qid],
        )
        for qid, name in names.items()
    )


def _mistake(record: CleanRecord, taken_for: str, distance: float) -> Mistake:
    return Mistake(
        record.qid, taken_for, round(distance, 3), record.sha256, record.path, record.page_url
    )


def _share(flags: Flags) -> float | None:
    return round(float(flags.mean()), 4) if len(flags) else None


def _histogram(distances: npt.NDArray[np.float64]) -> tuple[int, ...]:
    bins = np.clip(distances / BIN, 0, BINS - 1).astype(int)
    return tuple(int(n) for n in np.bincount(bins, minlength=BINS))
