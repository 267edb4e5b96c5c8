"""Read the Retry-After header (RFC 9110, section 10.2.3), of downloads and of APIs alike."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SHORTEST_S = 1.0
"""Public APIs send 0 at times while they still refuse."""

LONGEST_S = 86_400.0
"""Whoever asks for more is asked once a day; nobody can send us away for years."""


def retry_after_s(value: str | None) -> float | None:
    """
    Return how many seconds to wait, from `SHORTEST_S` to `LONGEST_S`.

    None without a header that can be understood (whole seconds, or a date).
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return _bounded(float(text[:9]))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return _bounded((at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _bounded(seconds: float) -> float:
    return min(max(seconds, SHORTEST_S), LONGEST_S)
