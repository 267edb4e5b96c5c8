"""Tell what kind of page Google sent: results, consent, captcha and so on.

It is told from what the browser saw, as plain values.

The address counts first, then records, then marks in the document, then texts; a text counts only
on a page without records, because good pages carry the words of the bad ones in their scripts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from celebcollect.sources.google.records import (
    FoundPicture,
    from_links,
    from_pairs,
    from_script,
    unique,
)
from celebcollect.sources.google.texts import speaks_of_captcha, speaks_of_no_results


class State(StrEnum):
    """What a page is."""

    RESULTS = "results"
    TILES = "tiles"
    """Pictures are shown, and nothing says where their originals are."""
    NO_RESULTS = "no_results"
    CONSENT = "consent"
    CAPTCHA = "captcha"
    """Google refuses: unusual traffic, HTTP 403 or 429."""
    JS_SHELL = "js_shell"
    """The page that checks the browser and then loads the real one."""
    BASIC = "basic"
    """The page for browsers without JavaScript: thumbnails only."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PageView:
    """What the browser saw at one moment."""

    url: str
    complete: bool = False
    """The document and everything in it has been loaded."""
    http_status: int = 0
    """Of the document; 0 where the browser does not tell."""
    scripts: str = ""
    """Text of all scripts in the document that mention a URL."""
    answers: tuple[str, ...] = ()
    """Bodies that the page loaded later, by its own requests."""
    links: tuple[str, ...] = ()
    """Targets of links to `/imgres`."""
    marks: frozenset[str] = frozenset()
    """`captcha`, `recaptcha`, `consent`, `shell`, `basic`: elements that such a page has."""
    tiles: int = 0
    text: str = ""
    """The beginning of the visible text."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page is, as far as can be told, and the pictures on it."""

    state: State
    found: tuple[FoundPicture, ...] = ()
    patience_s: float = 0
    """How long to wait whether the page becomes something else: 0 when it is certain, without end
    when it looks unfinished."""


# How long pictures without records, or thumbnails only, are looked at before they are taken for all
# there is.
_WEAK_S = 2.0


def view(seen: object) -> PageView:
    """
    Make a view of what the script in the page returned.

    A page may have meddled with it, so every type is checked.
    """
    values: Mapping[str, Any] = seen if isinstance(seen, Mapping) else {}
    return PageView(
        url=_text(values.get("url")),
        complete=values.get("complete") is True,
        http_status=_number(values.get("status")),
        scripts=_text(values.get("scripts")),
        answers=_texts(values.get("answers")),
        links=_texts(values.get("links")),
        marks=frozenset(_texts(values.get("marks"))),
        tiles=_number(values.get("tiles")),
        text=_text(values.get("text")),
    )


def read(page: PageView, *, consent_answered: bool = False) -> Reading:
    """
    Return what a page is and the pictures on it.

    After the question for consent was answered it does not count while there is anything better.
    """
    address = _state_by_address(page.url)
    if address is State.CAPTCHA or "captcha" in page.marks:
        return Reading(State.CAPTCHA)
    asks = address is State.CONSENT or "consent" in page.marks
    if asks and not consent_answered:
        return Reading(State.CONSENT)
    found = pictures(page)
    if found:
        return Reading(State.RESULTS, found)
    if page.http_status in (403, 429) or "recaptcha" in page.marks or speaks_of_captcha(page.text):
        return Reading(State.CAPTCHA)
    if page.http_status < 400 and speaks_of_no_results(page.text):
        return Reading(State.NO_RESULTS)
    return _read_weak(page, asks=asks)


def pictures(page: PageView) -> tuple[FoundPicture, ...]:
    """
    Return the pictures of a page.

    Records of its scripts, then of what it loaded later, then links.
    """
    found = list(from_script(page.scripts))
    for answer in page.answers:
        found += from_script(answer)
    return tuple(unique((*found, *from_links(page.links))))


def _read_weak(page: PageView, *, asks: bool) -> Reading:
    """
    Read a page that may still become another one.

    The less it shows, the longer it is waited for.
    """
    if asks:
        return Reading(State.CONSENT, patience_s=math.inf)
    patience_s = _WEAK_S if page.complete else math.inf
    if "basic" in page.marks:
        return Reading(State.BASIC, patience_s=patience_s)
    pairs = tuple(from_pairs(page.scripts))
    if pairs:
        return Reading(State.RESULTS, pairs, patience_s=patience_s)
    if page.tiles:
        return Reading(State.TILES, patience_s=patience_s)
    if "shell" in page.marks:
        return Reading(State.JS_SHELL, patience_s=math.inf)
    # An error page of the server will not become results.
    return Reading(State.UNKNOWN, patience_s=_WEAK_S if page.http_status >= 400 else math.inf)


def _state_by_address(url: str) -> State | None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    if (
        host.startswith("sorry.google.")
        or parts.path == "/sorry"
        or parts.path.startswith("/sorry/")
    ):
        return State.CAPTCHA
    return State.CONSENT if host.startswith("consent.google.") else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(part for part in value if isinstance(part, str)) if isinstance(value, list) else ()


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
