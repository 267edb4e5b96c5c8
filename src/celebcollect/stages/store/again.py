"""Turn the row of a picture that is gone into a failed download that is due at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from celebcollect.domain.reasons import Reason
from celebcollect.domain.records import Facts, Image, Status

RESTORED = "restored"
"""Among the facts of a row that waits: that a person wanted these very bytes, whatever is said."""

_OF_THE_BYTES = (
    "sha256",
    "path",
    "bytes",
    "format",
    "width_px",
    "height_px",
    "phash",
    "phash_version",
    "stored_at",
    "cleaned_at",
)


def to_fetch_again(row: Image, reason: Reason, detail: str, moment: datetime) -> Image:
    """
    Return the row as `store` fetches it again, without what was known of the bytes.

    That a person has restored the picture counts again should the same bytes come.
    """
    failed: dict[str, Any] = {
        "status": Status.FAILED,
        "reason": reason.value,
        "detail": detail or None,
        "attempts": 0,
        "retry_at": moment,
        "facts": restoration(row),
        **dict.fromkeys(
            (*_OF_THE_BYTES, "duplicate_of", "rejected_by", "restored_from", "identity")
        ),
    }
    return row.model_copy(update=failed)


def restoration(row: Image) -> dict[str, Facts]:
    """Return what is to be remembered of a person's word while the bytes are away."""
    if not row.restored_from or not row.sha256:
        return {}
    return {RESTORED: {"from": row.restored_from, "sha256": row.sha256}}


def restored_from(row: Image, sha256: str) -> str | None:
    """Return what a person has overruled for these bytes, when they come back."""
    remembered = row.facts.get(RESTORED, {})
    return str(remembered["from"]) if remembered.get("sha256") == sha256 else None
