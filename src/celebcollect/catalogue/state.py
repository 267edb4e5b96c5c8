"""What a catalogue says of its people and of the work on them, beside the records of the domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from celebcollect.domain.records import SAME_FACE, Status


@dataclass(frozen=True, slots=True)
class SaveCounts:
    """What `save_people` did."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    forgotten: int = 0
    """Left out, because nothing about these people may be collected."""


@dataclass(frozen=True, slots=True)
class SearchState:
    """How far one source has searched for one person."""

    rounds: int = 0
    """Finished searches."""
    offered: int = 0
    """Candidates that the last search yielded."""
    exhausted: bool = False
    """The source has nothing more to offer."""
    at: datetime | None = None
    portraits: Mapping[str, str] | None = None
    """What the source has proved to be portraits, by image id: empty where the source knows the
    person by more than a name, else the title of the file, which is a portrait as long as Wikidata
    names it (P18). None: the source was last searched by a version that did not say."""


PORTRAITS_SINCE = "portraits-since"
"""Note of the time since which sources say what they have proved; see `stages.clean.portraits`."""


@dataclass(frozen=True, slots=True)
class PersonState:
    """Where one person stands in the collection."""

    qid: str
    rounds: int = 0
    """Finished rounds of `run-all`: searched, stored and cleaned."""
    finished: bool = False
    """`run-all` is done with the person: enough pictures, nothing more to find, or no round
    left."""
    searches: Mapping[str, SearchState] = field(default_factory=dict)
    images: Mapping[Status, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cleaning:
    """A person whose pictures need cleaning; hand `revision` back to `record_cleaned`."""

    qid: str
    revision: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Totals for `status`."""

    celebrities: int
    images: Mapping[Status, int]
    """All five states, zeros included."""
    reasons: Mapping[str, int]
    """Of rejected and failed images, the most frequent first."""
    in_doubt: int = 0
    """Accepted or rejected images whose person has the face of another one (`Image.in_doubt`)."""

    @classmethod
    def of(cls, celebrities: int, groups: Iterable[tuple[Status, str | None, int]]) -> Self:
        """Add up groups of images: status, reason if there is one, and how many."""
        images = dict.fromkeys(Status, 0)
        reasons: dict[str, int] = {}
        in_doubt = 0
        for status, reason, n in groups:
            in_doubt += n if reason == SAME_FACE else 0
            images[status] += n
            if reason and status in (Status.REJECTED, Status.FAILED):
                reasons[reason] = reasons.get(reason, 0) + n
        ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        return cls(celebrities, images, dict(ordered), in_doubt)


@dataclass(frozen=True, slots=True)
class PersonFace:
    """One person's face, as the pictures show it that `clean` takes for theirs."""

    qid: str
    version: str
    """Of the embedding; those of two versions are never compared."""
    mean: bytes
    """Mean of the embeddings, little-endian float32; empty when there is no such picture any
    more."""
    trusted: bool
    """A trusted portrait is among the pictures."""
    image: str
    """Id of the picture that is most like the mean."""
    held_against: str | None = None
    """The other person for whose sake the pictures were rejected."""
