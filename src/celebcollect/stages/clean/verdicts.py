"""Decide about one person's pictures: measure what is not known yet, then ask each check.

Writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from celebcollect.checks import shared
from celebcollect.checks.base import (
    Acceptance,
    Anchored,
    Check,
    Measuring,
    Picture,
    Rejection,
)
from celebcollect.checks.signatures import PayloadReason
from celebcollect.domain.records import Image
from celebcollect.pictures.reasons import PictureReason

ABOUT_FILES = frozenset(("readable",))
"""Checks that nobody can overrule: what is gone or damaged cannot be brought back."""

DANGEROUS = frozenset(("payload",))
"""Checks that are overruled by force only: what they find harms whoever opens the file."""

DANGERS = frozenset((*PayloadReason, PictureReason.NOT_AN_IMAGE))
"""What they find."""


NO_PORTRAIT = ABOUT_FILES | {"payload", shared.NAME}
"""Checks after which a portrait proves nothing: the file is not what it was, or nobody knows whom
it shows. One that is too small, blurred or shows two people still shows the person."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the checks found."""

    images: Mapping[str, Image]
    """All images by id, as they came, but with the facts that were measured."""
    rejections: Mapping[str, tuple[str, Rejection]]
    """Name of the check and what it says, by image id; an image that is not in it is accepted."""
    identities: Mapping[str, str]
    """What is known of who is shown, by image id."""
    doubts: Mapping[str, Rejection] = field(default_factory=dict)
    """What speaks against pictures that are accepted all the same, by image id."""


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
        measured: Is handed all images after each measurement and with each verdict, to keep what
            has changed; may raise to stop the work.
    """
    asked = _Asked(pictures)
    rejections: dict[str, tuple[str, Rejection]] = {}
    identities: dict[str, str] = {}
    for check in checks:
        for said in asked.ask(check, measured):
            measured(asked.images)  # deciding about thousands takes its time, too
            if said.id not in asked.left:
                continue  # a portrait that is there only to be compared with
            if isinstance(said, Acceptance):
                identities[said.id] = said.identity
            elif not is_overruled(check.name, asked.images[said.id]):
                rejections.setdefault(said.id, (check.name, said))
        asked.leave_out(check.name, rejections)
    return Verdicts(asked.images, rejections, identities)


def is_overruled(check: str, image: Image) -> bool:
    """
    Tell whether a person's word counts more than a check's.

    Who brought back a blurred picture has not said anything about the script that is found in it
    later.
    """
    if check in ABOUT_FILES or not image.restored_from:
        return False
    was_dangerous = image.restored_from.partition(":")[0] in DANGERS
    return check not in DANGEROUS or was_dangerous


class _Asked:
    """A person's pictures on their way from check to check."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self.left = {picture.image.id: picture for picture in sorted(pictures, key=_id)}
        """What no check has thrown out yet."""
        self._portraits: dict[str, Picture] = {}
        """Trusted portraits that a check has thrown out: they still show the person."""
        self.images = {id_: picture.image for id_, picture in self.left.items()}
        self._copies = _copies(self.images.values())
        for ids in self._copies.values():
            _share_facts(self.images, ids)
        self._refresh()

    def ask(
        self, check: Check, measured: Callable[[Mapping[str, Image]], None]
    ) -> Iterator[Rejection | Acceptance]:
        """Let a check measure what is new to it, and yield what it says."""
        more = self._portraits if isinstance(check, Anchored) else {}
        if isinstance(check, Measuring):
            pictures = _one_of_each([*self.left.values(), *more.values()])
            for id_, facts in check.measure(pictures):
                for copy in self._copies[self.images[id_].sha256]:
                    self.images[copy] = self.images[copy].model_copy(
                        update={"facts": self.images[copy].facts | {check.name: facts}}
                    )
                measured(self.images)
            self._refresh()
        more = self._portraits if isinstance(check, Anchored) else {}
        yield from check.reject([*self.left.values(), *more.values()])

    def leave_out(self, check: str, rejections: Mapping[str, tuple[str, Rejection]]) -> None:
        """Go on without what a check has thrown out; its role stays in the album."""
        for id_ in [id_ for id_ in self.left if id_ in rejections]:
            picture, said = self.left.pop(id_), rejections[id_][1]
            if picture.reference is None:
                continue
            kept = self.left.get(said.duplicate_of or "") if said.is_copy else None
            if kept is not None:
                # Of a portrait and its copies the best is kept, and is the portrait.
                self.left[kept.image.id] = kept.with_role_of(picture)
            elif check not in NO_PORTRAIT:
                self._portraits[id_] = replace(picture, thrown_out=True)

    def _refresh(self) -> None:
        """Hand the new facts to the pictures."""
        for pictures in (self.left, self._portraits):
            for id_, picture in pictures.items():
                pictures[id_] = replace(picture, image=self.images[id_])


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
