"""What an answer means that brings no body: where it sends us, or why it gives nothing."""

from __future__ import annotations

import contextlib
from urllib.parse import urljoin

from celebcollect.web.failures import FetchFailed
from celebcollect.web.head import ResponseHead
from celebcollect.web.reasons import FetchReason, UrlReason


def refusal_of(head: ResponseHead) -> FetchFailed:
    """Return the failure that a status stands for."""
    status = head.status
    detail = f"HTTP {status}"
    if status == 429:
        return FetchFailed(
            FetchReason.RATE_LIMITED, detail, transient=True, retry_after_s=head.retry_after_s()
        )
    if status in (408, 425) or status >= 500:
        return FetchFailed(
            FetchReason.SERVER_ERROR, detail, transient=True, retry_after_s=head.retry_after_s()
        )
    if status in (404, 410):
        return FetchFailed(FetchReason.NOT_FOUND, detail)
    if status in (401, 403, 451):
        return FetchFailed(FetchReason.FORBIDDEN, detail)
    return FetchFailed(FetchReason.BAD_STATUS, detail)


def joined(base: str, location: str) -> str:
    """
    Return the URL that a Location leads to.

    Raises:
        FetchFailed: It is no URL.
    """
    with contextlib.suppress(UnicodeDecodeError):
        # Headers are read byte by byte; servers that do not escape a name send it in UTF-8, and
        # browsers take it so.
        location = location.encode("latin-1").decode()
    try:
        return urljoin(base, location)
    except ValueError as error:
        raise FetchFailed(UrlReason.MALFORMED_URL, location[:200]) from error
