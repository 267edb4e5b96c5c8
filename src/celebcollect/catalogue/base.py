"""What the pipeline needs from a catalogue of people and pictures, whoever keeps it.

Six small interfaces, one for each thing that is kept. Who works with a catalogue asks for the one
or two that it needs; only `app` knows them as one `Catalogue`. Behind it is SQLite or MongoDB.

Every write is idempotent: the identity of a person is the QID, that of an image
`records.image_id`. All methods may be called from any thread, and by several processes at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal, Protocol

from celebcollect.catalogue.notes import Notes as Notes
from celebcollect.catalogue.notes import SharedNotes as SharedNotes
from celebcollect.catalogue.state import (
    Cleaning,
    Counts,
    PersonFace,
    PersonState,
    SaveCounts,
    SearchState,
)
from celebcollect.domain.records import Celebrity, Image, Status


class People(Protocol):
    """The people that the collection is about, and how far each has come."""

    def save_people(self, people: Sequence[Celebrity]) -> SaveCounts:
        """
        Insert people or refresh what is known of them; the state of the work on them stays.

        Other portraits put those who have pictures in need of cleaning.

        A record whose `origin` is not `wikidata` only adds a person who is missing: it never
        overwrites Wikidata's facts.
        """

    def people(
        self, qids: Collection[str] | None = None, *, limit: int | None = None
    ) -> list[Celebrity]:
        """
        Return people, all or those of `qids` that are known, by fame.

        That is by sitelinks descending, then by QID number ascending.
        """

    def find_people(self, name: str) -> list[Celebrity]:
        """Return the people of exactly this name or alias (case-insensitive), by fame."""

    def states(self, qids: Collection[str]) -> dict[str, PersonState]:
        """Return the state of each known person of `qids`, in one look-up per batch."""


class Work(Protocol):
    """Who needs a search or a cleaning; claims with a lease, so that workers share the work."""

    def need_search(self, source: str, *, target: int, limit: int | None = None) -> list[str]:
        """
        Return the QIDs of people whom `source` should search, by fame.

        They are not exhausted there, and have less than `target` images that are accepted, stored
        or verified.

        People never searched there come before those searched already; live claims of others are
        left out.
        """

    def need_cleaning(
        self, fingerprint: str, *, qids: Collection[str] | None = None, limit: int | None = None
    ) -> list[Cleaning]:
        """
        Return people to clean.

        Their images changed since they were cleaned, or they were cleaned with another
        `fingerprint`.
        """

    def clean_again(self, qids: Collection[str]) -> None:
        """
        Put people in need of cleaning, as a new picture would.

        Something that their pictures are compared with has changed.
        """

    def claim(self, task: str, qids: Sequence[str], *, owner: str, lease_s: float) -> list[str]:
        """
        Take people for a task, each atomically; return those that this owner now holds.

        Who holds a person already renews the claim.

        A claim is free when nobody has it, its lease has run out, or its owner is a dead process of
        this machine (`owner` comes from `owners.this_owner()`).
        """

    def release(self, task: str, qids: Sequence[str], *, owner: str) -> None:
        """Give claims back; those of other owners stay."""

    def record_search(self, qid: str, source: str, state: SearchState) -> None:
        """Set how far `source` has searched for the person."""

    def record_round(self, qid: str, *, rounds: int, finished: bool) -> None:
        """Set how far `run-all` has come with the person."""

    def record_cleaned(self, cleaning: Cleaning, fingerprint: str) -> None:
        """
        Mark the person as cleaned as of `cleaning.revision`.

        Images stored since then keep the person in need.
        """


class Images(Protocol):
    """The rows of pictures, from candidates to verdicts."""

    def known(self, ids: Collection[str]) -> set[str]:
        """Return those image ids that exist, in one look-up."""

    def add_verified(self, images: Sequence[Image]) -> int:
        """
        Insert rows that are missing; return how many were new.

        A person who is missing is inserted too, with name and profession from the row.
        """

    def images_by_id(self, ids: Collection[str]) -> dict[str, Image]:
        """Return the rows that exist, by id, in one look-up."""

    def record_stored(self, images: Sequence[Image]) -> None:
        """
        Write what `store` found (status `stored` or `failed`), inserting missing rows and people.

        Rows that are stored, accepted or rejected already stay as they are.

        A stored row puts its person in need of cleaning.
        """

    def with_bytes(self, shas: Collection[str]) -> list[Image]:
        """Return all rows, of any person, with one of these SHA-256 digests, in one look-up."""

    def similar(self, phashes: Collection[str], *, version: int, bits: int) -> list[Image]:
        """
        Return all rows, of any person, whose perceptual hash is like one of these.

        It is of this version and differs from one of these in at most `bits` (0 to 11) bits.

        An index answers: a million images cost a few milliseconds for each hash.
        """

    def person_images(self, qid: str) -> list[Image]:
        """Return all rows of a person, by id."""

    def record_verdicts(self, images: Sequence[Image]) -> None:
        """Write what `clean` decided; every row exists already and is replaced."""

    def images(
        self, *, qid: str | None = None, status: Status | None = None, after: str | None = None
    ) -> Iterator[Image]:
        """
        Yield rows by QID number and id, without holding them all in memory.

        Only those of people behind `after`, where that is given.
        """

    def counts(self) -> Counts:
        """Return the totals."""


class FaceRecords(Protocol):
    """How people look, one record for each, so that one face under two is noticed."""

    def record_face(self, face: PersonFace) -> None:
        """
        Write a person's face over the former one, durable on return.

        People who are to be forgotten are passed over.
        """

    def faces_of(self, qids: Collection[str]) -> dict[str, PersonFace]:
        """Return the faces of those people who have one, in one look-up."""

    def faces_held_against(self, qid: str) -> set[str]:
        """Return the people whose `held_against` is this one."""

    def faces_since(self, mark: float) -> tuple[list[PersonFace], float]:
        """
        Return the faces that were written since a mark, and the next mark; begin with 0.

        One that was written before may come again. A person who was forgotten is not told: ask
        `faces_of` before relying on a face.
        """


class Forgetting(Protocol):
    """People about whom nothing may be collected."""

    def forbid(self, qids: Collection[str], external_ids: Collection[str] = ()) -> None:
        """
        Remember for good that nothing may be collected about these people; durable on return.

        From now on no method adds anything about them, and nobody is told to search or clean them:
        `save_people`, `add_verified`, `record_stored` and `record_search` pass them over,
        `need_search` and `need_cleaning` leave them out. What is there already stays until
        `forget`.

        Args:
            qids: Who they are.
            external_ids: Their ids elsewhere (`Celebrity.external_ids`). Whoever `save_people`
                meets with one of these is the same person under another QID: left out, and
                forbidden from then on under that QID too. The note of that QID
                (`forgetting.note_of`) tells by which ids.
        """

    def forgotten(self, qids: Collection[str]) -> set[str]:
        """Return those people of `qids` whom `forbid` named, in one look-up."""

    def all_forgotten(self) -> list[str]:
        """Return everybody whom `forbid` named and nobody allowed since, by QID number."""

    def forgotten_ids(self) -> list[str]:
        """Return all ids elsewhere that `forbid` named and nobody allowed since."""

    def allow(self, qids: Collection[str], external_ids: Collection[str] = ()) -> None:
        """Take back what `forbid` said about these people and ids; durable on return."""

    def forget(self, qid: str) -> int:
        """
        Forbid a person, then remove all that is known of them; return how many images.

        Every row and every entry of a note about them goes for good.

        Pictures of others that were held against theirs (`duplicate_of`) lose the reference and are
        put in need of cleaning. On return the data is gone from the catalogue's files too, not only
        marked as free.
        """


class Catalogue(People, Work, Images, FaceRecords, Forgetting, SharedNotes, Protocol):
    """All of it, as the composition root opens and closes it."""

    kind: Literal["embedded", "mongo"]

    def close(self) -> None:
        """Close everything that is open."""
