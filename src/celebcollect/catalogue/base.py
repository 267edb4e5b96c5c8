"""What the pipeline needs from a catalogue of people and pictures, whoever keeps it: SQLite or MongoDB.

Every write is idempotent: the identity of a person is the QID, that of an image `records.image_id`.
The catalogue also hands out work (who needs a search, who needs cleaning), claimed with a lease so
that several workers share it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

from celebcollect.catalogue.faces import FaceRecords
from celebcollect.domain.records import Celebrity, Image, Status

T = TypeVar("T")


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
    """Of rejected and failed images."""


class Catalogue(FaceRecords, Protocol):
    """People, images, faces and the state of the work on them. May be called from any thread, and by several processes at once."""

    kind: Literal["embedded", "mongo"]

    # people

    def save_people(self, people: Sequence[Celebrity]) -> SaveCounts:
        """
        Insert people or refresh what is known of them; the state of the work on them stays.

        Other portraits put those who have pictures in need of cleaning.

        A record whose `origin` is not `wikidata` only adds a person who is missing: it never
        overwrites Wikidata's facts.
        """
        ...

    def people(
        self, qids: Collection[str] | None = None, *, limit: int | None = None
    ) -> list[Celebrity]:
        """Return people (all, or those of `qids` that are known) by fame: sitelinks descending, then QID number ascending."""
        ...

    def find_people(self, name: str) -> list[Celebrity]:
        """Return the people of exactly this name or alias (case-insensitive), by fame."""
        ...

    def states(self, qids: Collection[str]) -> dict[str, PersonState]:
        """Return the state of each known person of `qids`, in one look-up per batch."""
        ...

    # work

    def need_search(self, source: str, *, target: int, limit: int | None = None) -> list[str]:
        """
        Return QIDs, by fame, whom `source` should search: not exhausted there, and accepted + stored + verified images < `target`.

        People never searched there come before those searched already; live claims of others are
        left out.
        """
        ...

    def need_cleaning(
        self, fingerprint: str, *, qids: Collection[str] | None = None, limit: int | None = None
    ) -> list[Cleaning]:
        """Return people with images that changed since they were cleaned, or were last cleaned with another `fingerprint`."""
        ...

    def clean_again(self, qids: Collection[str]) -> None:
        """Put people in need of cleaning, as a new picture would: something that their pictures are compared with has changed."""
        ...

    def claim(self, task: str, qids: Sequence[str], *, owner: str, lease_s: float) -> list[str]:
        """
        Take people for a task, each atomically; return those that this owner now holds (renewing its own counts).

        A claim is free when nobody has it, its lease has run out, or its owner is a dead process of
        this machine (`owner` comes from `owners.this_owner()`).
        """
        ...

    def release(self, task: str, qids: Sequence[str], *, owner: str) -> None:
        """Give claims back; those of other owners stay."""
        ...

    def record_search(self, qid: str, source: str, state: SearchState) -> None:
        """Set how far `source` has searched for the person."""
        ...

    def record_round(self, qid: str, *, rounds: int, finished: bool) -> None:
        """Set how far `run-all` has come with the person."""
        ...

    def record_cleaned(self, cleaning: Cleaning, fingerprint: str) -> None:
        """Mark the person as cleaned as of `cleaning.revision`; images stored since then keep the person in need."""
        ...

    # images

    def known(self, ids: Collection[str]) -> set[str]:
        """Return those image ids that exist, in one look-up."""
        ...

    def add_verified(self, images: Sequence[Image]) -> int:
        """Insert rows that are missing, and people who are missing (name and profession from the row); return how many rows were new."""
        ...

    def images_by_id(self, ids: Collection[str]) -> dict[str, Image]:
        """Return the rows that exist, by id, in one look-up."""
        ...

    def record_stored(self, images: Sequence[Image]) -> None:
        """
        Write what `store` found (status `stored` or `failed`), inserting missing rows and people; rows that are stored, accepted or rejected stay.

        A stored row puts its person in need of cleaning.
        """
        ...

    def with_bytes(self, shas: Collection[str]) -> list[Image]:
        """Return all rows, of any person, with one of these SHA-256 digests, in one look-up."""
        ...

    def similar(self, phashes: Collection[str], *, version: int, bits: int) -> list[Image]:
        """
        Return all rows, of any person, whose perceptual hash of this version differs in at most `bits` (0 to 11) bits from one of these.

        An index answers: a million images cost a few milliseconds for each hash.
        """
        ...

    def person_images(self, qid: str) -> list[Image]:
        """Return all rows of a person, by id."""
        ...

    def record_verdicts(self, images: Sequence[Image]) -> None:
        """Write what `clean` decided; every row exists already and is replaced."""
        ...

    def images(self, *, qid: str | None = None, status: Status | None = None) -> Iterator[Image]:
        """Yield rows by QID number and id, without holding them all in memory."""
        ...

    def counts(self) -> Counts:
        """Return the totals."""
        ...

    # forgetting: people about whom nothing may be collected

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
                forbidden from then on under that QID too.
        """
        ...

    def forgotten(self, qids: Collection[str]) -> set[str]:
        """Return those people of `qids` whom `forbid` named, in one look-up."""
        ...

    def forget(self, qid: str) -> int:
        """
        Forbid a person, then remove every row and every entry of a note about them for good; return how many images.

        Pictures of others that were held against theirs (`duplicate_of`) lose the reference and are
        put in need of cleaning. On return the data is gone from the catalogue's files too, not only
        marked as free.
        """
        ...

    # notes: small state of sources and runs (cool-downs, checkpoints, the run to go on with)

    def note(self, key: str) -> dict[str, Any] | None:
        """Return a note, or None."""
        ...

    def set_note(self, key: str, value: Mapping[str, Any] | None) -> None:
        """Write a note of JSON values, or remove it with None; durable on return."""
        ...

    def close(self) -> None:
        """Close everything that is open."""
        ...


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut items into lists of at most `size`."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
