"""Judge a picture URL by its text alone and give it one canonical form; contacts nobody."""

from __future__ import annotations

import re
import time
from functools import lru_cache
from urllib.parse import parse_qs

from celebcollect.domain.text import MAX_URL_CHARS, clean_text
from celebcollect.web.addresses import is_public
from celebcollect.web.reasons import UrlReason
from celebcollect.web.url_key import key_of
from celebcollect.web.url_parts import DEFAULT_PORTS, MAX_HOST, UrlParts, split_url

_LOCAL_SUFFIXES = (
    "localhost",
    "local",
    "internal",
    "localdomain",
    "lan",
    "home",
    "corp",
    "intranet",
    "private",
    "home.arpa",
)
"""Names that never leave a local network: RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal` (2024)
and the ones in common use."""

_BAD_PORTS = frozenset(
    # Ports of other protocols that browsers refuse too: Fetch Standard, "port blocking" (read
    # 2026-11).
    int(port)
    for port in (  # noqa: SIM905 - eighty strings in quotes are no easier to read
        "1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111"
        " 113 115 117 119 123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532"
        " 540 548 554 556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060"
        " 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080"
    ).split()
)

_SCHEME = re.compile(r"[\x00-\x20]*([A-Za-z][A-Za-z0-9+.-]*):")

_CRAWLERS_ONLY = frozenset(("lookaside.fbsbx.com", "lookaside.instagram.com"))
"""Hosts that give pictures to the crawlers of search engines and to nobody else: of 4,670 rows of a
public study of search results 7.9 % lead to such hosts or to signed links that are over."""

_SIGNED = {
    ".tiktokcdn.com": ("x-expires", 10),
    ".tiktokcdn-us.com": ("x-expires", 10),
    ".tiktokcdn-eu.com": ("x-expires", 10),
    ".cdninstagram.com": ("oe", 16),
    ".fbcdn.net": ("oe", 16),
}
"""Hosts whose links name the second of their end, in which field and to which base."""

_LOCAL_ENDINGS = tuple(f".{suffix}" for suffix in _LOCAL_SUFFIXES)

_PLAIN = re.compile(
    r"https?://((?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9_-]{0,62})(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+"
)
"""URLs that are canonical as they stand: a host name in lower case and a path of plain characters
without empty or dotted segments, no more."""


@lru_cache(maxsize=512)
def canonical(url: str) -> str:
    """
    Return the key under which a URL is known; the URL that is fetched stays the original one.

    It is what version 0.1 gave the URL, so that what is stored stays known. A URL that was refused
    then, or whose host browsers read otherwise, has the key of the URL that is asked for.

    Raises:
        ValueError: The URL has no host, or cannot be understood.
    """
    if _plain_host(url):
        return url  # a tenth of what taking it apart costs, and most picture URLs are like that
    parts = split_url(url)
    try:
        key, host = key_of(url)
    except ValueError:
        return key_of(parts.url)[0]
    return key if host == parts.host else key_of(parts.url)[0]


def host_of(url: str) -> str:
    """
    Return the host of a URL in canonical form, without brackets.

    It names the queue and the limits that the URL belongs to.

    Raises:
        ValueError: The URL has no host, or cannot be understood.
    """
    return str(split_url(url).host)


def shown_url(url: str) -> str:
    """
    Return an address for a message: without user, password and query, which may be secret.

    It is read as it would be asked for, with backslashes for slashes or a slash too few.
    """
    try:
        parts = split_url(url)
    except ValueError:
        return "an address that is none"
    path = parts.target.partition("?")[0]
    return clean_text(f"{parts.scheme}://{parts.netloc}{path}")[:200]


def refusal(url: str, *, allow_private: bool) -> UrlReason | None:
    """
    Return why a URL must not be fetched, or None when nothing in its text speaks against it.

    Reasons: `too_long`, `malformed_url`, `not_http`, `userinfo`, `bad_port`, `private_address`,
        `private_name`, `crawlers_only`, `expired_link`.
    """
    if len(url) > MAX_URL_CHARS:
        return UrlReason.TOO_LONG
    if name := _plain_host(url):
        if name in _CRAWLERS_ONLY:
            return UrlReason.CRAWLERS_ONLY
        return UrlReason.PRIVATE_NAME if not allow_private and _is_local(name) else None
    scheme = _SCHEME.match(url)
    if (scheme and scheme[1].lower() not in DEFAULT_PORTS) or url.startswith("//"):
        return UrlReason.NOT_HTTP
    try:
        parts = split_url(url)
        canonical(url)
    except ValueError:
        return UrlReason.MALFORMED_URL
    if parts.scheme not in DEFAULT_PORTS:
        return UrlReason.NOT_HTTP
    if parts.has_user:
        return UrlReason.USERINFO
    if parts.port == 0 or parts.port in _BAD_PORTS:
        return UrlReason.BAD_PORT
    if not isinstance(parts.host, str):
        is_open = allow_private or is_public(parts.host)
        return None if is_open else UrlReason.PRIVATE_ADDRESS
    if not allow_private and _is_local(parts.host):
        return UrlReason.PRIVATE_NAME
    if parts.host in _CRAWLERS_ONLY:
        return UrlReason.CRAWLERS_ONLY
    return UrlReason.EXPIRED_LINK if _has_expired(parts, parts.host) else None


def _plain_host(url: str) -> str | None:
    """
    Return the host of a URL that is canonical as it stands.

    None when it has a port, a user or a number for a host, or must be taken apart.
    """
    found = _PLAIN.fullmatch(url)
    return found[1] if found and len(found[1]) <= MAX_HOST else None


def _has_expired(parts: UrlParts, host: str) -> bool:
    """Tell whether a signed link says itself that its time is over."""
    for suffix, (field, base) in _SIGNED.items():
        if f".{host}".endswith(suffix):
            said = parse_qs(parts.target.partition("?")[2]).get(field, [""])[-1]
            try:
                return int(said[:12], base) < time.time()
            except ValueError:
                return False
    return False


def _is_local(host: str) -> bool:
    return "." not in host or f".{host}".endswith(_LOCAL_ENDINGS)
