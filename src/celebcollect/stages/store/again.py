"""Turn the row of a picture that is gone into a failed download that is due at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from celebcollect.domain.reasons import Reason
from celebcollect.domain.records import Image, Status

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
    """Return the row as `store` fetches it again, without what was known of the bytes."""
    failed: dict[str, Any] = {
        "status": Status.FAILED,
        "reason": reason.value,
        "detail": detail or None,
        "attempts": 0,
        "retry_at": moment,
        "facts": {},
        **dict.fromkeys(
            (*_OF_THE_BYTES, "duplicate_of", "rejected_by", "restored_from", "identity")
        ),
    }
    return row.model_copy(update=failed)
