"""The facts that travel through the pipeline, as frozen models; the JSON on the wire is written from them.

Nothing here opens, fetches or stores anything.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, lru_cache
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

from celebcollect.domain.terms import MlUse

SCHEMA = 1
"""Version of the messages on the topics; a message with another one is undecodable for this
program."""

MAX_URL_CHARS = 8192
"""Longest URL a message may carry; servers commonly refuse request lines beyond 8 KB."""

MAX_NAME_CHARS = 300

MAX_TEXT_CHARS = 5000
"""Of a title, an author or a licence, the rest is cut off: a record must fit into a message,
whatever `clean` adds to it."""

Qid = Annotated[str, StringConstraints(pattern=r"^Q[1-9][0-9]{0,11}$")]
"""A Wikidata item id; the only part of a person that may become part of a path."""


def clean_text(text: str) -> str:
    """
    Make text from outside safe to print on one line: NFC, no control or direction-override characters, single spaces.

    Letters of every script, emoji and their joiners (U+200C, U+200D) stay.
    """
    if not (text.isascii() and text.isprintable()):
        text = _OVERRIDES.sub("", _CONTROLS.sub(" ", unicodedata.normalize("NFC", text)))
    return " ".join(text.split())


_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Unicode's categories Cc, Zl, Zp and Cs."""
_OVERRIDES = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def _usable_name(text: str) -> str:
    # A person's name comes with each of their pictures. Longer texts are not kept: whatever a
    # stranger sends would fill the memory.
    return _known_name(text) if len(text) <= MAX_NAME_CHARS else _known_name.__wrapped__(text)


@lru_cache(maxsize=1024)
def _known_name(text: str) -> str:
    name = clean_text(text)[:MAX_NAME_CHARS].rstrip()
    if not name:
        raise ValueError("holds no printable character")
    return name


def _text(text: str) -> str:
    return clean_text(text)[:MAX_TEXT_CHARS].rstrip()


def _link(url: str) -> str | None:
    # Half a URL leads nowhere; the picture is no worse without it.
    return url if len(url) <= MAX_URL_CHARS else None


Name = Annotated[str, AfterValidator(_usable_name)]
Text = Annotated[str, AfterValidator(_text)]
Link = Annotated[str, AfterValidator(_link)] | None
"""Beside the picture; left out when it is too long."""


class Status(StrEnum):
    """Where an image stands; every candidate that `validate` lets through is in exactly one of them."""

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
        # What model_dump_json calls; here it is done for every message, and needs no text in
        # between.
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_none=True)

    def to_text(self) -> str:
        """Return `to_json` as a text."""
        return self.to_json().decode()


class Celebrity(Record):
    """A person worth collecting, as Wikidata (or a message about an unknown person) describes them."""

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
    """URLs of pictures on Wikimedia Commons (P18)."""
    commons_category: str | None = None
    origin: str = "wikidata"
    """Who told us about the person: `wikidata`, or the source of a candidate message."""

    @property
    def external_ids(self) -> list[str]:
        """Return the ids that no two people share, e.g. `tmdb/287`, `imdb/nm0000001`."""
        return [
            *(f"tmdb/{number}" for number in self.tmdb_ids),
            *(f"imdb/{number}" for number in self.imdb_ids),
        ]


class ImageCandidate(Record):
    """A picture URL that a source found for a person: the message on the `urls*` topics and on `urlsVerifie`."""

    schema_version: Literal[1] = Field(alias="schema")
    qid: Qid
    name: Name
    url: Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL_CHARS)]
    source: Annotated[str, AfterValidator(_usable_name), StringConstraints(max_length=40)]
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
    facts: dict[str, dict[str, JsonValue]] = Field(default_factory=dict)
    """What each check measured on these bytes, with its version, so that nothing is opened
    twice."""

    @classmethod
    def verified(cls, candidate: ImageCandidate, canonical_url: str) -> Image:
        """Start the row of a candidate that `validate` lets through."""
        # Copied, because a candidate's facts were validated when it was made, by the same rules;
        # here it is done for every message.
        facts = vars(candidate) | {"id": image_id(candidate.qid, canonical_url)}
        for name in ("schema_version", "width_px", "height_px"):
            del facts[name]
        return _blank().model_copy(update=facts)


@cache
def _blank() -> Image:
    return Image(id="", qid="Q1", name="nobody", status=Status.VERIFIED, source="nowhere", url="")


class CleanRecord(Record):
    """An accepted picture: the message on `dataclean`, keyed `QID/sha256`; a null value withdraws it."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    qid: Qid
    name: Name
    sha256: str
    path: str
    url: str
    source: str
    ml_use: MlUse
    page_url: str | None = None
    licence: str | None = None
    licence_url: str | None = None
    author: str | None = None
    restrictions: str | None = None
    profession: str | None = None
    bytes: int
    format: str
    width_px: int
    height_px: int
    phash: str | None = None
    phash_version: int | None = None
    stored_at: AwareDatetime | None = None
    identity: str | None = None
    """How the picture is known to show the person: `reference` or `largest cluster`; None: faces
    were not looked at."""
    face_box: tuple[int, int, int, int] | None = None
    """Left, top, right, bottom in pixels of the picture as EXIF turns it."""
    face_crop: tuple[int, int, int, int] | None = None
    """The box with a margin of a quarter, within the picture: faces cropped tighter are not always
    found again."""
    face_landmarks: tuple[tuple[int, int], ...] | None = None
    embedding: str | None = None
    """Base64 of little-endian float32 numbers; comparable within one `embedding_version`."""
    embedding_version: str | None = None

    @property
    def key(self) -> str:
        """Return the message key: the identity of the picture."""
        return f"{self.qid}/{self.sha256}"


def image_id(qid: str, canonical_url: str) -> str:
    """Return the identity of a candidate: the person and a 128-bit digest of the canonical URL."""
    return (
        f"{qid}:{hashlib.sha256(canonical_url.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
    )


def by_fame(people: Iterable[Celebrity]) -> list[Celebrity]:
    """Sort people from the most to the least famous; equals by the age of their Wikidata item."""
    return sorted(people, key=lambda person: (-person.sitelinks, int(person.qid[1:])))
