"""Read the pictures out of the text of a Google Images page.

Script records, `imgres` links, bare pairs. Opens nothing.

A script record has had the same form since 2020:
`"id",["thumbnail",h,w],["original",HEIGHT,WIDTH],...,{facts by number}`. Everything around it
(variable names, callbacks, classes) changes every few months, so nothing here holds on to that.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celebcollect.domain.records import Record
from celebcollect.domain.text import MAX_URL_CHARS, Text
from celebcollect.sources.google.quoting import decoded, unquoted

MAX_RECORD_CHARS = 32_768
"""How far a record is read; real ones have 1,000 to 3,000 characters."""

MAX_SIDE_PX = 100_000

MAX_LEVELS = 3
"""How often a text may have been quoted again: 0 in the page, 1 or 2 in the answers that endless
scrolling brings."""

_STRING = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_PAIR = r'\[\s*"(https?:[^"\\]*(?:\\.[^"\\]*)*)"\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*\]'
_START = re.compile(
    rf'"[^"]{{1,200}}"\s*,\s*\[\s*{_STRING}\s*,\s*\d{{1,6}}\s*,\s*\d{{1,6}}\s*\]\s*,\s*{_PAIR}',
    re.DOTALL,
)
_BARE = re.compile(_PAIR, re.DOTALL)

# google.com, google.de, google.co.uk, and everything under the top-level domain .google
_GOOGLE = re.compile(r"(?:^|\.)(?:google(?:\.com?)?\.[a-z]{2,3}|gstatic\.com|google)$")


class FoundPicture(Record):
    """One picture of a result page."""

    url: str
    width_px: int | None = None
    height_px: int | None = None
    page_url: str | None = None
    title: Text | None = None
    site: Text | None = None
    author: Text | None = None


# a page is read several times while it is waited for, and most of its text stays
@functools.lru_cache(maxsize=64)
def from_script(text: str) -> tuple[FoundPicture, ...]:
    """
    Return the records of a script or of an answer to one.

    Each picture comes once, the least quoted first; up to three times over is understood.
    """
    found: list[FoundPicture] = []
    for _ in range(MAX_LEVELS + 1):
        found += filter(None, (_record(text, start) for start in _START.finditer(text)))
        if "\\" not in text:
            break
        # What has been read is taken out: without its quoting it would be read again, as something
        # else.
        text = unquoted(_START.sub("", text))
    return tuple(unique(found))


def from_links(links: Iterable[str]) -> list[FoundPicture]:
    """Return the pictures that `/imgres?imgurl=...` links lead to."""
    found = []
    for link in links:
        try:
            query = parse_qs(urlsplit(link).query, max_num_fields=100)
        except ValueError:
            continue
        url = query.get("imgurl", [""])[0]
        if url:
            page = _page(query.get("imgrefurl", [None])[0])
            found.append(
                FoundPicture(
                    url=url,
                    width_px=_side(query.get("w", [None])[0]),
                    height_px=_side(query.get("h", [None])[0]),
                    page_url=page,
                )
            )
    return list(unique(found))


def from_pairs(text: str) -> list[FoundPicture]:
    """
    Return what looks like `["http...",height,width]` and is no thumbnail.

    That is the last resort when the form of records has changed.
    """
    for _ in range(MAX_LEVELS + 1):
        pairs = (_plain(pair, 1) for pair in _BARE.finditer(text))
        found = [
            pair
            for pair in unique(filter(None, pairs))
            if (pair.width_px or 0) >= 50
            and (pair.height_px or 0) >= 50
            and not is_googles(pair.url)
        ]
        if found or "\\" not in text:
            return found
        text = unquoted(text)
    return []


def unique(pictures: Iterable[FoundPicture]) -> Iterator[FoundPicture]:
    """Leave out what was there already, by URL."""
    seen: set[str] = set()
    for picture in pictures:
        if picture.url not in seen:
            seen.add(picture.url)
            yield picture


def originals(pictures: Iterable[FoundPicture]) -> tuple[FoundPicture, ...]:
    """Leave out what can be no candidate: Google's own hosts, and what is no URL of the web."""
    return tuple(
        picture for picture in pictures if is_usable(picture.url) and not is_googles(picture.url)
    )


def is_usable(url: str) -> bool:
    """
    Tell whether a candidate message can carry this URL at all.

    Whether it is a good one is for `validate` to say.
    """
    try:
        url.encode()
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) <= MAX_URL_CHARS
        )
    except ValueError:
        return False


def is_googles(url: str) -> bool:
    """
    Tell whether the picture is on a host of Google's own: thumbnails, logos, icons.

    googleusercontent.com carries other people's pictures (blogs, channels, museums), so it counts
    only where it is Google's proxy.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    if host.endswith(".googleusercontent.com"):
        return parts.path.startswith("/proxy/")
    return _GOOGLE.search(host) is not None


def _record(text: str, start: re.Match[str]) -> FoundPicture | None:
    try:
        record = decoded("[" + text[start.start() : start.start() + MAX_RECORD_CHARS])
        url, height, width = record[2]
    except (ValueError, RecursionError, IndexError, TypeError, KeyError):
        # Not JSON to its end: the picture is known all the same, only the facts about it are lost.
        return _plain(start, 2)
    facts = next((part for part in record[3:] if isinstance(part, dict)), {})
    page = _list(facts.get("2003"))
    domains = (_at(_list(facts.get("2000")), 1), _at(_list(facts.get("183836587")), 0))
    # [credit line, [creators], ?, copyright notice] where the picture carries IPTC data
    credits_ = _at(page, 18)
    creators = [name for name in _list(_at(_list(credits_), 1)) if isinstance(name, str)]
    return FoundPicture(
        url=url,
        width_px=_side(width),
        height_px=_side(height),
        page_url=_page(_at(page, 2)),
        title=_text(_at(page, 3)) or _text(_at(_list(facts.get("2008")), 1)),
        site=_text(_at(page, 12)) or _text(domains[0]) or _text(domains[1]),
        author=_text(", ".join(creators)),
    )


def _plain(match: re.Match[str], group: int) -> FoundPicture | None:
    try:
        url = decoded(f'"{match[group]}"')
    except ValueError:
        return None
    return FoundPicture(
        url=url, height_px=_side(match[group + 1]), width_px=_side(match[group + 2])
    )


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _page(value: Any) -> str | None:
    return value if isinstance(value, str) and is_usable(value) else None


def _side(value: Any) -> int | None:
    try:
        side = int(value) if isinstance(value, int | str) and not isinstance(value, bool) else 0
    except ValueError:
        return None
    return side if 0 < side <= MAX_SIDE_PX else None
