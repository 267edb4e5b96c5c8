"""What is raised when a URL gives no bytes."""

from __future__ import annotations

from celebcollect.domain.reasons import Reason


class FetchFailed(Exception):
    """Why a URL gave no bytes: a reason to count, what it was seen on, whether to try again."""

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        transient: bool = False,
        retry_after_s: float | None = None,
        said_stop: bool = False,
        is_doubtful: bool = False,
        in_this_run: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.transient = transient
        self.retry_after_s = retry_after_s
        self.said_stop = said_stop
        """The host asks to be left alone; it says nothing about this URL."""
        self.is_doubtful = is_doubtful
        """A `said_stop` that may be about this URL alone."""
        self.in_this_run = in_this_run
        """Waiting for `retry_after_s` within this run is worth while."""
