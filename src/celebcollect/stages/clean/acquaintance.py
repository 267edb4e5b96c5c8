"""Who else must be looked at again because of a person's pictures, and why that comes to an end.

A verdict about a person depends on the person's own rows and on three things of other people: which
of their rows show the same as one of the person's (bytes and hashes), which of these rows are
trusted portraits, and how their mean face looks. None of the three is a verdict: bytes and hashes
are what was downloaded, portraits are what sources and people said, and a mean face is that of the
pictures that the checks left of the other person's own rows, before any face was compared with
anybody's. So nothing that cleaning decides changes what another cleaning is decided on, and there
is nothing that two people could put in doubt again and again.

What remains is to tell those who do not know yet. Each row says (`TOLD`) which rows of other people
it was cleaned with, and whether these were trusted. Cleaning a person sets that for the person's
own rows, and has those cleaned again whose rows do not say what is so now. A person who was cleaned
with what is so now is told of nothing more; so while nobody adds, restores or withdraws anything,
each is cleaned at most once more after the last change that concerns them. A folder that was
cleaned by a version without such notes gets them in one more cleaning of everybody, and ends too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

from celebcollect.checks import shared
from celebcollect.domain.records import Facts, Image, Status

TOLD = "told"
"""Key of the note among the facts of the check of shared pictures."""

_CLEANED = frozenset((Status.ACCEPTED, Status.REJECTED))


class Acquaintance:
    """Which rows of other people a person's pictures concern, and what each row knows of that."""

    def __init__(
        self,
        images: Mapping[str, Image],
        elsewhere: Mapping[str, Sequence[Image]],
        is_trusted: Callable[[Image], bool],
    ) -> None:
        self._images, self._elsewhere, self._is_trusted = images, elsewhere, is_trusted

    def noted(self, image: Image) -> Image:
        """Return a row with the note of whom it was cleaned with."""
        told = sorted(map(self._mark, self._elsewhere.get(image.id, ())))
        facts = {name: found for name, found in image.facts.items() if name != shared.NAME}
        if told:
            note: Facts = {TOLD: list(told)}
            facts[shared.NAME] = note
        return image if facts == image.facts else image.model_copy(update={"facts": facts})

    def unaware(self) -> set[str]:
        """Return the people whose rows do not say what is so now."""
        found: set[str] = set()
        for id_, image in self._images.items():
            others = self._elsewhere.get(id_, ())
            mark = self._mark(image)
            # Rows that wait to be cleaned are told by that.
            found |= {
                other.qid
                for other in others
                if other.status in _CLEANED and mark not in _told(other)
            }
            # Those with whom this picture has nothing in common any more.
            now = {other.id[: len(_key(other))] for other in others}
            found |= {
                told.partition(":")[0] for told in _told(image) if told.rstrip("+") not in now
            }
        return found

    def share_photographs(self, ids: Iterable[str]) -> set[str]:
        """Return the people who have one of these pictures too."""
        return {other.qid for id_ in ids for other in self._elsewhere.get(id_, ())}

    def _mark(self, image: Image) -> str:
        return _key(image) + ("+" if self._is_trusted(image) else "")


def _key(image: Image) -> str:
    """Return what tells a row from others, short because popular photographs have many."""
    return image.id[: image.id.index(":") + 13]


def _told(image: Image) -> Sequence[str]:
    return cast("list[str]", image.facts.get(shared.NAME, {}).get(TOLD, []))
