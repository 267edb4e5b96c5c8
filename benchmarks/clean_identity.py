"""How well wrong people are removed, beside the rule of the system that this one replaces."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from clean_pictures import with_facts

from celebcollect.checks.base import Picture, Rejection
from celebcollect.checks.face_facts import from_text
from celebcollect.checks.identity import Identity
from celebcollect.config.sections import CleanConfig
from celebcollect.vision.dlib_engine import DlibSpec
from celebcollect.vision.numbers import DLIB
from celebcollect.vision.workers import Workers

BARYCENTRE = 0.47
"""Distance to the mean face beyond which the replaced system removed a picture, as it was measured
best."""

SHARES = (0.05, 0.20, 0.40, 0.60)
THRESHOLDS = (0.50, 0.53, 0.56, 0.60, 0.62, 0.65, 0.68)

Albums = Mapping[str, Sequence[Picture]]


@dataclass(frozen=True)
class Dirty:
    """A person's pictures with wrong ones mixed in."""

    person: str
    reference: Picture
    mixed: list[Picture]
    """The right ones first."""
    right: int


def bench_identity(albums: Albums, sets: Mapping[str, str]) -> None:
    """
    Print precision and recall of removal on albums with wrong people mixed in.

    Args:
        albums: Measured pictures by person.
        sets: Where a person's photographs came from.
    """
    check = _check(DLIB.likeness.limit)
    albums = {
        person: [_current(picture, check.version) for picture in album]
        for person, album in albums.items()
    }
    print(
        "  The thresholds were chosen on these very photographs: for other people expect less. The"
        " last two tables look at that."
    )
    print(
        "  wanted of      reached   with a reference: precision recall  kept   barycentre:"
        " precision recall  kept"
    )
    by_set: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one, share in _kinds():
        ours, theirs, size = Counter[str](), Counter[str](), Counter[str]()
        for dirty in _mixtures(albums, share, one=one):
            removed = _removed(check, dirty)
            count_up(ours, removed, dirty.right)
            count_up(by_set[sets[dirty.person]], removed, dirty.right)
            count_up(theirs, _barycentre(dirty.mixed), dirty.right)
            size.update(all=len(dirty.mixed), wrong=len(dirty.mixed) - dirty.right)
        print(
            f"  {share:4.0%} of {'one ' if one else 'many'}  {size['wrong'] / size['all']:8.1%}  "
            f" {figures(ours):>43}   {figures(theirs):>36}"
        )
    print("  people from, all rows above together, with a reference: precision recall kept")
    for name, counts in sorted(by_set.items()):
        print(
            f"  {name:<10} {sum(sets[person] == name for person in albums):2} people"
            f" {figures(counts)}"
        )
    _bench_halves(albums)


def _bench_halves(albums: Albums) -> None:
    """Print what the best thresholds for one half of the people do for the other half."""
    print(
        "  all thresholds that are equally good for one half of the people, asked on the other"
        " half: precision recall kept"
    )
    order = sorted(albums)
    halves = [{person: albums[person] for person in order[start::2]} for start in (0, 1)]
    counted = [
        {threshold: _counted(half, threshold) for threshold in THRESHOLDS} for half in halves
    ]
    for chosen_on, asked_on in ((0, 1), (1, 0)):
        fewest = min(map(_errors, counted[chosen_on].values()))
        for threshold in THRESHOLDS:
            if _errors(counted[chosen_on][threshold]) == fewest:
                told = (
                    f"{fewest} errors for {len(halves[chosen_on])} people at {threshold:.2f}, for"
                    f" {len(halves[asked_on])} others"
                )
                print(f"  {told} {figures(counted[asked_on][threshold])}")
    usual = DLIB.likeness.limit
    for half, counts in zip(halves, counted, strict=True):
        print(f"  as it comes, {usual:.2f}, for {len(half)} people {figures(counts[usual])}")


def _counted(albums: Albums, threshold: float) -> Counter[str]:
    check, counts = _check(threshold), Counter[str]()
    for one, share in _kinds():
        for dirty in _mixtures(albums, share, one=one):
            count_up(counts, _removed(check, dirty), dirty.right)
    return counts


def _errors(counts: Counter[str]) -> int:
    return counts["right_removed"] + counts["wrong"] - counts["wrong_removed"]


def _check(threshold: float) -> Identity:
    return Identity(CleanConfig(identity_threshold=threshold), DlibSpec(), Workers(DlibSpec(), 1))


def _current(picture: Picture, version: str) -> Picture:
    return with_facts(picture, "identity", {**picture.facts("identity"), "version": version})


def _kinds() -> Iterable[tuple[bool, float]]:
    return ((one, share) for one in (False, True) for share in SHARES)


def _mixtures(albums: Albums, share: float, *, one: bool) -> Iterator[Dirty]:
    """Yield each album with this share of wrong pictures, of many people or of one."""
    source = random.Random(1)
    # where few are wrong, more often: some 1,300 wrong pictures for each share
    for _ in range(round(16 / share)):
        for person, album in albums.items():
            reference, *right = source.sample(album, len(album))
            # An album of few pictures cannot hold 5 %: then some albums get one wrong picture and
            # others none.
            count = int(share * len(right) / (1 - share) + source.random())
            others = [
                pictures
                for other, pictures in albums.items()
                if other != person and len(pictures) >= min(count, 5)
            ]
            pool = (
                source.choice(others)
                if one
                else [picture for pictures in others for picture in pictures]
            )
            if count > len(pool):
                count, right = len(pool), right[: round(len(pool) * (1 - share) / share)]
            yield Dirty(
                person,
                replace(reference, reference=0),
                [*right, *source.sample(pool, count)],
                len(right),
            )


def _removed(check: Identity, dirty: Dirty) -> list[bool]:
    gone = {
        said.id
        for said in check.reject([dirty.reference, *dirty.mixed])
        if isinstance(said, Rejection)
    }
    return [picture.image.id in gone for picture in dirty.mixed]


def _barycentre(pictures: Sequence[Picture]) -> list[bool]:
    """Return which faces the replaced system would remove: those far from the mean of all."""
    embeddings = np.stack(
        [from_text(str(picture.facts("identity")["embedding"])) for picture in pictures]
    )
    return [
        bool(gone)
        for gone in np.linalg.norm(embeddings - embeddings.mean(axis=0), axis=1) > BARYCENTRE
    ]


def count_up(counts: Counter[str], removed: Sequence[bool], right: int) -> None:
    """Count what was removed among the right ones, which come first, and the wrong ones."""
    counts.update(
        right=right,
        wrong=len(removed) - right,
        right_removed=int(sum(removed[:right])),
        wrong_removed=int(sum(removed[right:])),
    )


def figures(counts: Counter[str]) -> str:
    """Return precision and recall of removal, and the share of right pictures that stay."""
    removed = counts["right_removed"] + counts["wrong_removed"]
    precision = counts["wrong_removed"] / removed if removed else 1.0
    removed_share = counts["wrong_removed"] / counts["wrong"]
    kept_share = 1 - counts["right_removed"] / counts["right"]
    return f"{precision:9.3f} {removed_share:6.3f} {kept_share:5.3f}"
