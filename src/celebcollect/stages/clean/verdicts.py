"""Decide about one person's pictures: measure what is not known yet, then ask each check.

Writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from celebcollect.checks.base import Acceptance, Check, Measuring, Picture, Rejection
from celebcollect.domain.records import Image

ABOUT_FILES = frozenset(("readable",))
"""Checks that nobody can overrule: what is gone or damaged cannot be brought back."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the checks found."""

    images: Mapping[str, Image]
    """All images by id, as they came, but with the facts that were measured."""
    rejections: Mapping[str, tuple[str, Rejection]]
    """Name of the check and what it says, by image id; an image that is not in it is accepted."""
    identities: Mapping[str, str]
    """What is known of who is shown, by image id."""


def judge(
    pictures: Sequence[Picture],
    checks: Sequence[Check],
    *,
    measured: Callable[[Mapping[str, Image]], None],
) -> Verdicts:
    """
    Ask every check about the pictures that the former ones left over.

    The outcome depends on the pictures' facts alone: not on their present status, their order, or
    how often they were judged before. So a copy of a picture that an earlier check throws out comes
    back by itself.

    Args:
        pictures: One person's whole set.
        checks: In the order in which they are asked.
        measured: Is handed all images after each measurement, to keep what has changed; may raise
            to stop the work.
    """
    left = {picture.image.id: picture for picture in sorted(pictures, key=_id)}
    images = {id_: picture.image for id_, picture in left.items()}
    copies = _copies(images.values())
    for ids in copies.values():
        _share_facts(images, ids)
    left = {id_: replace(picture, image=images[id_]) for id_, picture in left.items()}
    rejections: dict[str, tuple[str, Rejection]] = {}
    identities: dict[str, str] = {}
    for check in checks:
        if isinstance(check, Measuring):
            for id_, facts in check.measure(_one_of_each(left.values())):
                for copy in copies[images[id_].sha256]:
                    images[copy] = images[copy].model_copy(
                        update={"facts": images[copy].facts | {check.name: facts}}
                    )
                measured(images)
            left = {id_: replace(picture, image=images[id_]) for id_, picture in left.items()}
        for said in check.reject(list(left.values())):
            if isinstance(said, Acceptance):
                identities[said.id] = said.identity
            elif check.name in ABOUT_FILES or not images[said.id].restored_from:
                rejections.setdefault(said.id, (check.name, said))
        left = {id_: picture for id_, picture in left.items() if id_ not in rejections}
    return Verdicts(images, rejections, identities)


def _id(picture: Picture) -> str:
    return picture.image.id


def _copies(images: Iterable[Image]) -> dict[str | None, list[str]]:
    """Return the ids of the images that have the same bytes, by digest."""
    copies: dict[str | None, list[str]] = {}
    for image in images:
        copies.setdefault(image.sha256, []).append(image.id)
    return copies


def _share_facts(images: dict[str, Image], ids: Sequence[str]) -> None:
    """Give all rows of the same bytes what was measured for any of them, such as an older row."""
    known = {name: facts for id_ in ids for name, facts in images[id_].facts.items()}
    for id_ in ids:
        if images[id_].facts != known:
            images[id_] = images[id_].model_copy(update={"facts": known})


def _one_of_each(pictures: Iterable[Picture]) -> list[Picture]:
    """Return one picture for each digest: rows of the same bytes share file and facts."""
    return list({picture.image.sha256: picture for picture in pictures}.values())
