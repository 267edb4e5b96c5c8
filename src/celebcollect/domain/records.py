"""
The records that travel through the pipeline, as frozen models; they become the JSON on the wire.

Nothing here opens, fetches or stores anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
)

from celebcollect.domain.text import MAX_URL_CHARS, Link, Name, Text, usable_name

SCHEMA = 1
"""Version of the messages on the topics; a message with another one is undecodable for this
program."""

Qid = Annotated[str, StringConstraints(pattern=r"^Q[1-9][0-9]{0,11}$")]
"""A Wikidata item id; the only part of a person that may become part of a path."""


Facts = dict[str, JsonValue]
"""What one check measured on a file, with the check's `version`. No None among the values: leave
the key out. Which names there are is the check's business."""


SAME_FACE = "same_face_other_person"
"""Reason of pictures in doubt, on rows that are accepted or rejected."""


class Status(StrEnum):
    """Where an image stands: every candidate that `validate` lets through is in one of them."""

    VERIFIED = "verified"  # waits for `store`
    STORED = "stored"  # waits for `clean`
    ACCEPTED = "accepted"
    REJECTED = "rejected"  # by `clean`, with a reason; the file is in quarantine
    FAILED = "failed"  # no picture could be downloaded, with a reason


def now() -> datetime:
    """Return the current time, UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


class Record(BaseModel):
    """Base of all records: frozen, unknown fields are left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    def to_json(self) -> bytes:
        """Return the record as compact UTF-8 JSON without its empty fields."""
        return self.to_text().encode()

    def to_text(self) -> str:
        """Return `to_json` as a text."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


class Celebrity(Record):
    """A person worth collecting, as Wikidata describes them, or a message about a stranger."""

    qid: Qid
    name: Name
    description: Text | None = None
    aliases: tuple[str, ...] = ()
    professions: tuple[str, ...] = ()
    """Labels where known, else QIDs of the occupations (P106)."""
    births: tuple[str, ...] = ()
    """ISO dates as Wikidata has them, year may be negative; empty when unknown."""
    deaths: tuple[str, ...] = ()
    genders: tuple[str, ...] = ()
    citizenships: tuple[str, ...] = ()
    sitelinks: int = 0
    """Number of Wikimedia pages about the person: the measure of fame."""
    tmdb_ids: tuple[str, ...] = ()
    imdb_ids: tuple[str, ...] = ()
    portraits: tuple[str, ...] = ()
    """URLs of the pictures that Wikidata names (P18)."""
    commons_category: str | None = None
    origin: str = "wikidata"
    """Who told us about the person: `wikidata`, or the source of a candidate message."""

    @property
    def external_ids(self) -> list[str]:
        """Return the ids that no two people share, e.g. `imdb/nm0000001`."""
        return [
            *(f"tmdb/{number}" for number in self.tmdb_ids),
            *(f"imdb/{number}" for number in self.imdb_ids),
        ]


class ImageCandidate(Record):
    """A picture URL that a source found: the message on the `urls*` topics and on `urlsVerifie`."""

    schema_version: Literal[1] = Field(alias="schema")
    qid: Qid
    name: Name
    url: Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL_CHARS)]
    source: Annotated[str, AfterValidator(usable_name), StringConstraints(max_length=40)]
    profession: Text | None = None
    rank: int | None = None
    """Place in the source's list, from 0."""
    page_url: Link = None
    page_title: Text | None = None
    site: Text | None = None
    """Name of the web site that the page belongs to."""
    licence: Text | None = None
    licence_url: Link = None
    author: Text | None = None
    restrictions: Text | None = None
    """Limits other than copyright, as the source names them, e.g. `personality`, `trademarked`."""
    width_px: int | None = None
    height_px: int | None = None
    found_at: AwareDatetime | None = None


class Image(Record):
    """
    What the catalogue knows of one candidate (QID, canonical URL), from `verified` to its end.

    Two candidates of one person with the same bytes are two rows that share `sha256` and `path`.
    """

    id: str
    """`image_id(qid, canonical URL)`."""
    qid: Qid
    name: Name
    status: Status
    reason: str | None = None
    detail: str | None = None
    """What the reason was measured on: a size, a distance, an HTTP status."""
    duplicate_of: str | None = None
    """Id of the image that this one was held against: the copy that is kept, another person's, the
    reference."""
    rejected_by: str | None = None
    """Name of the check that rejected it."""
    restored_from: str | None = None
    """Reason and detail of the rejection that somebody has undone; no check throws the picture out
    again."""
    identity: str | None = None
    """How an accepted picture is known to show the person: `reference` (like a trusted portrait) or
    `largest cluster`; None: not looked at."""
    source: str
    url: str
    page_url: str | None = None
    page_title: str | None = None
    site: str | None = None
    licence: str | None = None
    licence_url: str | None = None
    author: str | None = None
    restrictions: str | None = None
    credit_from: str | None = None
    """URL of the copy of the same photograph that licence, author, restrictions and page are from;
    None: they are this one's own."""
    own_credit: dict[str, str | None] | None = None
    """What was said of these where this one was found, while a copy's stand in their place."""
    profession: str | None = None
    rank: int | None = None
    sha256: str | None = None
    path: str | None = None
    """Of the file, relative to `data_dir`, with forward slashes."""
    bytes: int | None = None
    format: str | None = None
    """Pillow's name of the format in lower case: `jpeg`, `png`, `webp`, `gif`, ..."""
    width_px: int | None = None
    height_px: int | None = None
    phash: str | None = None
    """64-bit perceptual hash, 16 hexadecimal digits."""
    phash_version: int | None = None
    attempts: int = 0
    retry_at: AwareDatetime | None = None
    """When a download that failed for a passing reason may be tried again."""
    found_at: AwareDatetime | None = None
    stored_at: AwareDatetime | None = None
    cleaned_at: AwareDatetime | None = None
    facts: dict[str, Facts] = Field(default_factory=dict)
    """What was measured on these bytes, by the name of the check, so that nothing is opened
    twice. A lost file's row keeps there that a person had restored it (`stages.store.again`)."""

    @property
    def in_doubt(self) -> bool:
        """Tell whether another person has the same face: accepted all the same, or rejected."""
        return self.reason == SAME_FACE

    @classmethod
    def verified(cls, candidate: ImageCandidate, canonical_url: str) -> Image:
        """Start the row of a candidate that `validate` lets through."""
        return cls(
            id=image_id(candidate.qid, canonical_url),
            qid=candidate.qid,
            name=candidate.name,
            status=Status.VERIFIED,
            source=candidate.source,
            url=candidate.url,
            page_url=candidate.page_url,
            page_title=candidate.page_title,
            site=candidate.site,
            licence=candidate.licence,
            licence_url=candidate.licence_url,
            author=candidate.author,
            restrictions=candidate.restrictions,
            profession=candidate.profession,
            rank=candidate.rank,
            found_at=candidate.found_at,
        )


def image_id(qid: str, canonical_url: str) -> str:
    """Return the identity of a candidate: the person and a 128-bit digest of the canonical URL."""
    return (
        f"{qid}:{hashlib.sha256(canonical_url.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
    )


def by_fame(people: Iterable[Celebrity]) -> list[Celebrity]:
    """Sort people from the most to the least famous; equals by the age of their Wikidata item."""
    return sorted(people, key=lambda person: (-person.sitelinks, int(person.qid[1:])))
