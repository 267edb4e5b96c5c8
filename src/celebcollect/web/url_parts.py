"""Take a URL apart, without believing what is easily hidden in one."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

import idna

from celebcollect.web.addresses import Address

DEFAULT_PORTS = {"http": 80, "https": 443}

MAX_HOST = 253
"""Characters of a host name (RFC 1035, without the root)."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@lru_cache(maxsize=512)
def split_url(url: str) -> tuple[SplitResult, Address | str]:
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
