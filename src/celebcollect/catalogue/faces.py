"""What a catalogue keeps of how people look, so that one face under two people is noticed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


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


class FaceRecords(Protocol):
    """The part of a catalogue that is about faces; one record for each person."""

    def record_face(self, face: PersonFace) -> None:
        """Write a person's face over the former one; passes over people who are to be forgotten. Durable on return."""
        ...

    def faces_of(self, qids: Collection[str]) -> dict[str, PersonFace]:
        """Return the faces of those people who have one, in one look-up."""
        ...

    def faces_held_against(self, qid: str) -> set[str]:
        """Return the people whose `held_against` is this one."""
        ...

    def faces_since(self, mark: float) -> tuple[list[PersonFace], float]:
        """
        Return the faces that were written since a mark, and the next mark; begin with 0.

        One that was written before may come again. A person who was forgotten is not told: ask
        `faces_of` before relying on a face.
        """
        ...
