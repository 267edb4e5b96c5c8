"""Read the Retry-After header (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SHORTEST_S = 1.0
"""TMDB and Wikidata send 0 at times while they still refuse."""


def retry_after_s(value: str | None) -> float | None:
    """Return how many seconds to wait, at least `SHORTEST_S`, or None without a header that can be understood (seconds, or a date)."""
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return max(SHORTEST_S, float(text))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(
        SHORTEST_S,
        ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds(),
    )
