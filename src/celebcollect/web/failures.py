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
        answered_before: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.transient = transient
        self.retry_after_s = retry_after_s
        self.answered_before = answered_before
        """The host has answered this process, so that waiting for it is worth while."""
