"""What an answer means that brings no body: where it sends us, or why it gives nothing."""

from __future__ import annotations

import re

from celebcollect.web.failures import FetchFailed
from celebcollect.web.head import ResponseHead
from celebcollect.web.reasons import FetchReason, UrlReason
from celebcollect.web.url_parts import joined_url, text_of

SLOW_DOWN = frozenset((420, 429))
"""429 (RFC 6585, section 4), and the 420 that some servers said before there was one."""

_OVERLOADED = frozenset((509, 529, 999))
"""Out of bandwidth (cPanel), overloaded (Qualys and others), and LinkedIn's refusal."""

MAX_WORDS_BYTES = 16_384

_RATE_LIMIT_PAGE = re.compile(rb"(?i)error(?: code)?(?:\s|:|</?\w[^>]{0,80}>){0,8}1015\b")
"""Cloudflare's page on rate limits (Cloudflare docs, "Error 1015", read 2026-11)."""


def says_more_in_its_body(head: ResponseHead) -> bool:
    """Tell whether only the page shows that a refusal is about how much we ask for."""
    is_cloudflare = "cloudflare" in head.value("server").lower()
    return is_cloudflare and head.status == 403 and not head.value("content-encoding")


def refusal_of(head: ResponseHead, words: bytes = b"") -> FetchFailed:
    """Return the failure that a status stands for; `words` is the beginning of its page."""
    status = head.status
    detail = f"HTTP {status}"
    wait_s = head.retry_after_s()
    if status in SLOW_DOWN or (status in (202, 403, 405) and (sign := _sign(head, words))):
        return FetchFailed(
            FetchReason.RATE_LIMITED,
            detail if status in SLOW_DOWN else f"{detail}, {sign}",
            transient=True,
            retry_after_s=wait_s,
            said_stop=True,
        )
    if status in (408, 425) or status >= 500:
        is_doubtful = status not in _OVERLOADED
        return FetchFailed(
            FetchReason.SERVER_ERROR,
            detail,
            transient=True,
            retry_after_s=wait_s,
            said_stop=not is_doubtful or status == 503 or wait_s is not None,
            is_doubtful=is_doubtful,
        )
    if status in (404, 410):
        return FetchFailed(FetchReason.NOT_FOUND, detail)
    if status in (401, 403, 451):
        return FetchFailed(FetchReason.FORBIDDEN, detail)
    return FetchFailed(FetchReason.BAD_STATUS, detail)


def _sign(head: ResponseHead, words: bytes) -> str:
    """Return what shows that a refusal is about who asks, or how often, and not about the URL."""
    for name in ("cf-mitigated", "x-amzn-waf-action"):
        # Cloudflare: "Detect a challenge page response"; AWS WAF: "challenge and CAPTCHA actions"
        # (both read 2026-11).
        if value := head.value(name):
            return f"{name}: {value[:40]}"
    if head.status == 403 and head.value("retry-after"):
        return "Retry-After"
    return "error 1015" if _RATE_LIMIT_PAGE.search(words) else ""


def joined(base: str, location: str) -> str:
    """
    Return the URL that a Location leads to.

    Raises:
        FetchFailed: It is no URL.
    """
    try:
        # Headers are read byte by byte; servers that do not escape a name send it in UTF-8, and
        # browsers take it so. What is no UTF-8 are the bytes of the file's name there.
        return joined_url(base, text_of(location.encode("latin-1")))
    except ValueError as error:
        raise FetchFailed(UrlReason.MALFORMED_URL, location[:200]) from error
