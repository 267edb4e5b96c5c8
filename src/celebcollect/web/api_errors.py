"""How the API of a source fails."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celebcollect.domain.errors import SourceBlocked, SourceError
from celebcollect.domain.records import now

_BLOCKED_S = 60.0
"""Shortest time to stay away from an API that did not stop saying 429."""


class ApiError(SourceError):
    """An API answered, but not with what was asked for; `body` is its parsed JSON, or None."""

    def __init__(self, message: str, *, status: int, body: Any = None) -> None:
        super().__init__(message, hint="Try again later; the API may be out of order.")
        self.status = status
        self.body = body


class PassingFailure(Exception):
    """A failure that may be over at the next attempt, and what to say if it is not."""

    def __init__(self, error: SourceError, retry_after_s: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry_after_s = retry_after_s

    def final(self) -> SourceError:
        """Return what to raise when it was the last attempt."""
        error = self.error
        if isinstance(error, ApiError) and error.status == 429:
            return blocked(error.message, max(_BLOCKED_S, self.retry_after_s or 0))
        return error


def blocked(message: str, seconds: float) -> SourceBlocked:
    """Return the error of a source that asks us to stay away for so long."""
    until = now() + timedelta(seconds=seconds)
    return SourceBlocked(
        f"{message} and asks us to stay away until {until:%Y-%m-%d %H:%M:%S} UTC",
        hint="Run the same command again after that.",
        until=until,
    )
