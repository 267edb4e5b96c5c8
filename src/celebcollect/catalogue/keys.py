"""What both catalogues agree on: numbers of people, names as compared, ids of images."""

from __future__ import annotations

import re
from collections.abc import Iterable

from celebcollect.domain.records import Celebrity, Image, Status
from celebcollect.domain.text import clean_text

STATUSES = (Status.VERIFIED, Status.STORED, Status.ACCEPTED, Status.REJECTED, Status.FAILED)
ALIVE = (Status.VERIFIED, Status.STORED, Status.ACCEPTED)
"""What counts towards a person's target."""
SETTLED = (Status.STORED, Status.ACCEPTED, Status.REJECTED)
"""What a repeated download does not override."""

_QID = re.compile(r"Q[1-9][0-9]{0,11}")


def number(qid: str) -> int:
    """
    Return the number of a QID, by which people are sorted.

    Raises:
        ValueError: It is no QID.
    """
    if not _QID.fullmatch(qid):
        raise ValueError(f"no QID: {qid!r}")
    return int(qid[1:])


def numbers(qids: Iterable[str]) -> list[int]:
    """
    Return the numbers of QIDs, each once, ascending.

    What is no QID belongs to nobody and is left out.
    """
    return sorted({int(qid[1:]) for qid in qids if _QID.fullmatch(qid)})


def folded(name: str) -> str:
    """Return a name as names are compared: without case, on one line."""
    return clean_text(name).casefold()


def all_folded(person: Celebrity) -> set[str]:
    """Return every name under which a person is found."""
    return {folded(name) for name in (person.name, *person.aliases)}


def person_of(image: Image) -> Celebrity:
    """Return what an image says of its person, for the case that nobody knows more."""
    return Celebrity(
        qid=image.qid,
        name=image.name,
        professions=(image.profession,) if image.profession else (),
        origin=image.source,
    )


def own_id(image: Image) -> str:
    """
    Return the id of an image.

    Raises:
        ValueError: It is not an id of the image's person.
    """
    if not image.id.startswith(f"{image.qid}:"):
        raise ValueError(
            f"the image id {image.id} does not belong to {image.qid}: make it with records.image_id"
        )
    return image.id
