"""Find pictures that came for several people.

At least one of these people is wrong, and nothing here tells which.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from celebcollect.checks.base import Check, CheckSettings, CheckSpec, Picture, Rejection
from celebcollect.checks.hashes import comparable, distances, hashes_of
from celebcollect.domain.reasons import Reason
from celebcollect.pictures.hash import PHASH_VERSION

VERSION = 1
NAME = "shared"


class SharedReason(Reason):
    """What is wrong with a picture that came for several people."""

    SAME_PICTURE_OTHER_PERSON = (
        "same_picture_other_person",
        "clean",
        "The same picture came for another person: at least one of the two is wrong.",
        "`celebcollect gallery` shows both; a trusted portrait settles it.",
    )


def build(settings: CheckSettings) -> Check:
    """Return the check for `[clean] other_person_bits` and `near_duplicate_bits`."""
    return Shared(settings.clean.other_person_bits, near_bits=settings.clean.near_duplicate_bits)


class Shared:
    """
    Reject `same_picture_other_person` for every person concerned.

    That one of them loses the picture for another reason clears nobody.
    """

    name = NAME

    def __init__(self, elsewhere_bits: int, *, near_bits: int) -> None:
        self.elsewhere_bits, self._near_bits = elsewhere_bits, near_bits

    def fingerprint(self) -> str:
        """Return version, that of the hashes, and limits."""
        return (
            f"{VERSION} hash={PHASH_VERSION} elsewhere_bits={self.elsewhere_bits}"
            f" near_bits={self._near_bits}"
        )

    def reject(self, pictures: Sequence[Picture]) -> Iterator[Rejection]:
        """
        Yield the pictures that another person has too, and the near copies of these.

        Near copies show the same. A trusted portrait of this person stays, unless it is one of the
        other person as well.
        """
        doubts = {
            picture.image.id: min((other.id for other in picture.elsewhere), key=by_person)
            for picture in pictures
            if picture.elsewhere
        }
        trusted = {
            picture.image.id
            for picture in pictures
            if picture.reference is not None and not picture.referenced_elsewhere
        }
        for id_, other in self._spread(pictures, doubts, trusted).items():
            yield Rejection(
                id_,
                SharedReason.SAME_PICTURE_OTHER_PERSON,
                detail=other.partition(":")[0],
                duplicate_of=other,
            )

    def _spread(
        self, pictures: Sequence[Picture], doubts: Mapping[str, str], trusted: Collection[str]
    ) -> dict[str, str]:
        """
        Return the doubts as they are for near copies too.

        What is a near copy of a trusted portrait is cleared.
        """
        spread, cleared = dict(doubts), set(trusted)
        for group in comparable(picture.image for picture in pictures):
            hashes = hashes_of(group)
            for index, image in enumerate(group):
                if image.id not in doubts and image.id not in trusted:
                    continue
                near = [
                    group[at].id
                    for at in np.flatnonzero(distances(hashes, hashes[index]) <= self._near_bits)
                ]
                if image.id in trusted:
                    cleared.update(near)
                else:
                    spread |= {
                        id_: min(spread.get(id_, doubts[image.id]), doubts[image.id], key=by_person)
                        for id_ in near
                    }
        return {id_: other for id_, other in spread.items() if id_ not in cleared}


def by_person(id_: str) -> tuple[int, str]:
    """Return the sort key of an image id: the number of its person's QID, then the id."""
    return int(id_[1:].partition(":")[0]), id_


SPEC = CheckSpec(name="shared", order=40, build=build, reasons=(SharedReason,))
