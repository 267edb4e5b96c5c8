"""Judge a picture URL by its text alone and give it one canonical form. Resolves no names and opens no connection."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

import idna
from w3lib.url import canonicalize_url

from celebcollect.domain.text import MAX_URL_CHARS, clean_text
from celebcollect.web.addresses import Address, is_public
from celebcollect.web.reasons import UrlReason

_DEFAULT_PORTS = {"http": 80, "https": 443}

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

_LOCAL_ENDINGS = tuple(f".{suffix}" for suffix in _LOCAL_SUFFIXES)

_PLAIN = re.compile(
    r"https?://((?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9_-]{0,62})(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+"
)
"""URLs that are canonical as they stand: a host name in lower case and a path of plain characters
without empty or dotted segments, no more."""

_MAX_HOST = 253
"""Characters of a host name (RFC 1035, without the root)."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@lru_cache(maxsize=512)
def canonical(url: str) -> str:
    """
    Return the key under which a URL is known; the URL that is fetched stays the original one.

    Scheme and host in lower case (IDNA, IPv4 in dotted form), no default port, no user, no trailing
    dot of the host, no fragment, query sorted, escapes and dot segments normalised.

    Raises:
        ValueError: The URL has no host, or cannot be understood.
    """
    if _plain_host(url):
        return url  # a tenth of what taking it apart costs, and most picture URLs are like that
    parts, host = _split(url)
    port = parts.port
    host_text = f"[{host}]" if isinstance(host, IPv6Address) else str(host)
    scheme = parts.scheme.lower()
    netloc = (
        host_text if port is None or port == _DEFAULT_PORTS.get(scheme) else f"{host_text}:{port}"
    )
    return str(canonicalize_url(urlunsplit((scheme, netloc, parts.path, parts.query, ""))))


def host_of(url: str) -> str:
    """
    Return the host of a URL in canonical form, without brackets; it names the queue and the limits that the URL belongs to.

    Raises:
        ValueError: The URL has no host, or cannot be understood.
    """
    return str(_split(url)[1])


def shown_url(url: str) -> str:
    """Return an address for a message: without user, password and query, one of which may be secret."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return clean_text(
            f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
        )[:200]
    except ValueError:
        return "an address that is none"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads, in the characters that go over the wire."""

    scheme: str
    host: str
    """Without brackets; the host that `refusal` judged, whatever another parser would have read."""
    port: int | None
    path: str
    """With the query, escaped, without dot segments."""

    @property
    def netloc(self) -> str:
        """Return host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            host
            if self.port is None or self.port == _DEFAULT_PORTS[self.scheme]
            else f"{host}:{self.port}"
        )

    @property
    def connection_port(self) -> int:
        """Return the port to connect to."""
        return self.port or _DEFAULT_PORTS[self.scheme]

    @property
    def origin(self) -> str:
        """Return scheme, host and port."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        """Return the whole URL."""
        return self.origin + self.path


def target(url: str) -> Target:
    """
    Return where to send a request for a URL; its fragment stays here.

    Raises:
        ValueError: The URL has no host, or cannot be understood.
    """
    parts, host = _split(url)
    path = quote(_without_dots(parts.path), safe=_PATH_SAFE)
    query = f"?{quote(parts.query, safe=_PATH_SAFE + '?')}" if parts.query else ""
    return Target(parts.scheme.lower(), str(host), parts.port, path + query)


_PATH_SAFE = "/%:@!$&'()*+,;=~-._[]|"
"""What browsers send as it is; a `%` is not escaped again."""


def _without_dots(path: str) -> str:
    """Resolve `.` and `..` (RFC 3986, section 5.2.4), so that rules about a path see the one that the server will."""
    if "/." not in path and "/%2" not in path:
        return path or "/"
    kept: list[str] = []
    segments = path.split("/")[1:]
    for place, segment in enumerate(segments):
        plain = segment.lower().replace("%2e", ".")
        if plain == "..":
            del kept[-1:]
        elif plain != ".":
            kept.append(segment)
        if plain in (".", "..") and place == len(segments) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def refusal(url: str, *, allow_private: bool) -> UrlReason | None:
    """
    Return the reason why a URL must not be fetched, or None when nothing in its text speaks against it.

    Reasons: `too_long`, `malformed_url`, `not_http`, `userinfo`, `bad_port`, `private_address`,
        `private_name`.
    """
    if len(url) > MAX_URL_CHARS:
        return UrlReason.TOO_LONG
    if name := _plain_host(url):
        return UrlReason.PRIVATE_NAME if not allow_private and _is_local(name) else None
    scheme, colon, _ = url.partition(":")
    if (
        colon
        and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme)
        and scheme.lower() not in _DEFAULT_PORTS
    ):
        return UrlReason.NOT_HTTP
    try:
        parts, host = _split(url)
        port = parts.port
        canonical(url)
    except ValueError:
        return UrlReason.MALFORMED_URL
    if parts.scheme.lower() not in _DEFAULT_PORTS:
        return UrlReason.NOT_HTTP
    if "@" in parts.netloc:
        return UrlReason.USERINFO
    if port == 0 or port in _BAD_PORTS:
        return UrlReason.BAD_PORT
    if allow_private:
        return None
    if not isinstance(host, str):
        return None if is_public(host) else UrlReason.PRIVATE_ADDRESS
    return UrlReason.PRIVATE_NAME if _is_local(host) else None


def _plain_host(url: str) -> str | None:
    """Return the host of a URL that is canonical as it stands and has no port, user or number for a host; None: take it apart."""
    found = _PLAIN.fullmatch(url)
    return found[1] if found and len(found[1]) <= _MAX_HOST else None


def _is_local(host: str) -> bool:
    return "." not in host or f".{host}".endswith(_LOCAL_ENDINGS)


@lru_cache(maxsize=512)
def _split(url: str) -> tuple[SplitResult, Address | str]:
    # urlsplit drops line breaks and leading blanks without a word, and so would hide what another
    # parser sees.
    if _UNPRINTABLE.search(url) or url != url.strip():
        raise ValueError("holds characters that no URL has")
    parts = urlsplit(url)
    if re.search(r"[\s\\]", parts.netloc):
        raise ValueError("holds a blank or a backslash in the host")
    return parts, _host(parts.hostname or "", "[" in parts.netloc)


@lru_cache(maxsize=4096)
def _host(name: str, brackets: bool) -> Address | str:
    if brackets:
        try:
            return IPv6Address(name)
        except AddressValueError as error:
            raise ValueError("holds a broken IPv6 address") from error
    if not name.isascii():
        # UTS 46, as browsers do: it maps full-width digits and dots to plain ones, so that
        # `１２７.0.0.1` is seen as what it is.
        name = idna.encode(name, uts46=True).decode("ascii")
    name = name.removesuffix(".")
    if len(name) > _MAX_HOST or not _HOST.fullmatch(name):
        raise ValueError("holds no usable host")
    return _ipv4(name) if _NUMBER.fullmatch(name.rpartition(".")[2]) else name


def _ipv4(name: str) -> IPv4Address:
    """Read an IPv4 address in any form that operating systems take: decimal, octal, hexadecimal, one to four parts (URL Standard, IPv4 parser)."""
    parts = name.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) and len(part) <= 32 for part in parts):
        raise ValueError("holds a broken IPv4 address")
    *front, last = [_number(part) for part in parts]
    room = 256 ** (4 - len(front))
    if any(number > 255 for number in front) or last >= room:
        raise ValueError("holds a broken IPv4 address")
    return IPv4Address(
        sum(number * 256 ** (3 - place) for place, number in enumerate(front)) + last
    )


def _number(text: str) -> int:
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8 if len(text) > 1 and text.startswith("0") else 10)
