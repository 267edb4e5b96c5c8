"""What `verify` finds: kinds, and one finding."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class Kind(StrEnum):
    """What does not agree."""

    FILE_MISSING = "file_missing"
    FILE_DAMAGED = "file_damaged"
    FILE_MISPLACED = "file_misplaced"
    FILE_BACK = "file_back"
    STRANGE_FILE = "strange_file"
    MESSAGE_MISSING = "message_missing"
    MESSAGE_TOO_MANY = "message_too_many"
    EXPORT_GONE = "export_gone"
    EXPORT_BROKEN = "export_broken"
    GALLERY_GONE = "gallery_gone"
    GALLERY_BROKEN = "gallery_broken"


MEANINGS = {
    Kind.FILE_MISSING: "a picture whose file is gone",
    Kind.FILE_DAMAGED: "a picture whose file holds other bytes than were stored",
    Kind.FILE_MISPLACED: "a kept picture in quarantine, or a rejected one among the images",
    Kind.FILE_BACK: "a picture that was given up, and whose file is whole again",
    Kind.STRANGE_FILE: "a file that no row knows",
    Kind.MESSAGE_MISSING: "an accepted picture that the topic of clean ones does not tell of",
    Kind.MESSAGE_TOO_MANY: "a message about a picture that is not accepted",
    Kind.EXPORT_GONE: "an export that is not there: deleted, moved, or its disk is not mounted",
    Kind.EXPORT_BROKEN: "an export whose index cannot be read: `forget` cannot clean it",
    Kind.GALLERY_GONE: "a gallery that is not there: deleted, moved, or its disk is not mounted",
    Kind.GALLERY_BROKEN: "a gallery that cannot be looked at: `forget` cannot clean it",
}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing that does not agree."""

    kind: Kind
    name: str
    """`QID/sha256` of a picture, the path of a file in `data_dir`, or a folder."""
    qid: str | None = None
    """Whose it is, as far as that is known."""
    detail: str = ""
    mended: str | None = None
    """What was done about it; None: nothing."""

    @property
    def sha256(self) -> str:
        """Return the digest of the picture."""
        return self.name.rpartition("/")[2]

    def facts(self) -> dict[str, Any]:
        """Return the finding in JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Self:
        """Return a finding from its JSON values."""
        return cls(**{**facts, "kind": Kind(facts["kind"])})
