"""The message about an accepted picture, which is what training code reads."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from celebcollect.domain.records import Qid, Record
from celebcollect.domain.terms import MlUse
from celebcollect.domain.text import Name


class CleanRecord(Record):
    """An accepted picture: the message on `dataclean`; a null value of its key withdraws it."""

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
    credit_from: str | None = None
    """URL of the copy of the same photograph that licence, author and page are from; None: they
    were found with this one."""
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
