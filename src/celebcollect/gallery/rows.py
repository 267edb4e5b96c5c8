"""Turn rows of the catalogue into what the page shows of them: plain JSON, without empty fields."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from celebcollect.checks.signatures import PayloadReason
from celebcollect.domain.records import Image, Status
from celebcollect.domain.text import clean_text

ORDER = (Status.ACCEPTED, Status.REJECTED, Status.FAILED, Status.STORED, Status.VERIFIED)
"""How a person's pictures are sorted."""

DANGEROUS = frozenset(reason.value for reason in PayloadReason)
"""Reasons for which the address of a picture is shown as text and not as a link."""

MAX_CHARS = 2000
"""Of one text on the page; longer ones are cut."""

_FILE = re.compile(r"images/Q[0-9]+/[0-9a-f]{64}\.[a-z0-9]+")

Row = dict[str, Any]


def sort_key(image: Image) -> tuple[int, str, str, int, str]:
    """Sort a person's pictures by status and reason, copies of one picture together."""
    return (
        ORDER.index(image.status),
        image.reason or "",
        image.duplicate_of or "",
        image.rank or 0,
        image.id,
    )


def kind_of(image: Image) -> tuple[str, str, str]:
    """Return what the page can filter by, besides the person: status, reason and source."""
    return image.status.value, shown(image.reason), shown(image.source)


def row(image: Image, other: Image | None, thumbnails: Collection[str]) -> Row:
    """
    Return what the page shows of a picture; person, status, reason and source it knows already.

    Args:
        image: The picture.
        other: The picture that it was compared with, if any.
        thumbnails: SHA-256 of the pictures that have a thumbnail.
    """
    facts = {
        **_looks(image, thumbnails),
        "detail": shown(image.detail),
        "url": shown(image.url),
        # What could not be downloaded may lie in a private network, where a click could do harm.
        "linked": (
            image.status is not Status.FAILED
            and image.reason not in DANGEROUS
            and is_web(image.url)
        ),
        "page": image.page_url if is_web(image.page_url) else "",
        "title": shown(image.page_title),
        "licence": shown(image.licence),
        "licence_url": image.licence_url if is_web(image.licence_url) else "",
        "author": shown(image.author),
        "sha256": image.sha256,
        "found": image.found_at.date().isoformat() if image.found_at else "",
        "stored": image.stored_at.date().isoformat() if image.stored_at else "",
        "other": _other(image, other, thumbnails) if other else None,
    }
    return _without_empty(facts)


def _other(image: Image, other: Image, thumbnails: Collection[str]) -> Row:
    about = {"name": shown(other.name), "qid": other.qid} if other.qid != image.qid else {}
    return _without_empty(
        {
            **_looks(other, thumbnails),
            **about,
            "status": other.status.value,
            "reason": shown(other.reason),
        }
    )


def _looks(image: Image, thumbnails: Collection[str]) -> Row:
    has_thumbnail = image.sha256 in thumbnails
    return {
        "thumb": image.sha256 if has_thumbnail else "",
        # Only of what was accepted the page leads to the file itself.
        "file": (
            image.path
            if image.status is Status.ACCEPTED
            and has_thumbnail
            and _FILE.fullmatch(image.path or "")
            else ""
        ),
        "size": [image.width_px, image.height_px] if image.width_px and image.height_px else None,
        "bytes": image.bytes,
        "format": image.format,
    }


def shown(text: str | None) -> str:
    """Return a text of the catalogue as one line, safe to show and of bounded length."""
    line = clean_text(text or "")
    return line if len(line) <= MAX_CHARS else f"{line[:MAX_CHARS]}…"


def is_web(url: str | None) -> bool:
    """Tell whether a URL may become a link: http or https, with a host."""
    try:
        parts = urlsplit(url or "")
        return (
            parts.scheme.lower() in ("http", "https")
            and bool(parts.hostname)
            and len(url or "") <= MAX_CHARS
        )
    except ValueError:
        return False


def _without_empty(facts: Mapping[str, Any]) -> Row:
    return {name: value for name, value in facts.items() if value not in (None, "", False)}
