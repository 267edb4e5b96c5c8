"""The key under which a URL is known in the catalogue, read as version 0.1 read URLs.

This reading stays as it is for ever: another one would give stored pictures other keys, and they
would be downloaded again. What is asked for on the network is read by `url_parts`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit, urlunsplit

import idna
from w3lib.url import canonicalize_url

from celebcollect.web.addresses import Address
from celebcollect.web.url_parts import DEFAULT_PORTS, MAX_HOST

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def key_of(url: str) -> tuple[str, Address | str]:
    """
    Return the key of a URL, and the host that it names.

    Scheme and host in lower case (IDNA, IPv4 in dotted form), no default port, no user, no trailing
    dot of the host, no fragment, query sorted, escapes and dot segments normalised.

    Raises:
        ValueError: Version 0.1 could not understand the URL.
    """
    parts, host = _split(url)
    port = parts.port
    host_text = f"[{host}]" if isinstance(host, IPv6Address) else str(host)
    scheme = parts.scheme.lower()
    netloc = (
        host_text if port is None or port == DEFAULT_PORTS.get(scheme) else f"{host_text}:{port}"
    )
    key = str(canonicalize_url(urlunsplit((scheme, netloc, parts.path, parts.query, ""))))
    return key, host


def _split(url: str) -> tuple[SplitResult, Address | str]:
    """
    Return the parts of a URL and its host as an address or a name in ASCII.

    Raises:
        ValueError: The URL has no host, or cannot be understood.
    """
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
    if len(name) > MAX_HOST or not _HOST.fullmatch(name):
        raise ValueError("holds no usable host")
    return _ipv4(name) if _NUMBER.fullmatch(name.rpartition(".")[2]) else name


def _ipv4(name: str) -> IPv4Address:
    """
    Read an IPv4 address in any form that operating systems take (URL Standard, IPv4 parser).

    Decimal, octal or hexadecimal, in one to four parts.
    """
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
