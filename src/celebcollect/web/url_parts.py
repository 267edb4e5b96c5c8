"""Take a URL apart as the WHATWG URL standard does, and so as browsers do (Ada reads it)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

import ada_url

from celebcollect.web.addresses import Address

DEFAULT_PORTS = {"http": 80, "https": 443}

MAX_HOST = 253
"""Characters of a host name (RFC 1035, without the root)."""

_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
"""What name servers are asked for; the standard lets more through, as `a!b` or `a..b`."""

_LONE_BYTE = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class UrlParts:
    """A URL in parts, escaped, without default port, dot segments and fragment."""

    scheme: str
    host: Address | str
    """An address in whatever form it was written, or a name in ASCII without a last dot."""
    port: int | None
    target: str
    """Path and query."""
    has_user: bool

    @property
    def netloc(self) -> str:
        """Return host and port as the Host header has them."""
        host = f"[{self.host}]" if isinstance(self.host, IPv6Address) else str(self.host)
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """Return what is asked for: the URL without user and fragment."""
        return f"{self.scheme}://{self.netloc}{self.target}"


@lru_cache(maxsize=512)
def split_url(url: str) -> UrlParts:
    """
    Return the parts of a URL.

    A backslash is a slash, tabs and line breaks are left out, `%2e` is a dot, and an IPv4 address
    may be written in any of its forms. A byte that was no UTF-8 (`text_of`) is escaped as it is.

    Raises:
        ValueError: The URL has no host, or cannot be understood.
    """
    read = _read(url)
    return UrlParts(
        scheme=read.protocol.removesuffix(":"),
        host=_host(read.hostname),
        port=int(read.port) if read.port else None,
        target=read.pathname + read.search,
        has_user=bool(read.username or read.password),
    )


def joined_url(base: str, reference: str) -> str:
    """
    Return the whole URL that a reference on the page `base` leads to.

    Raises:
        ValueError: It is no URL.
    """
    return str(_read(reference, base).href)


def text_of(data: bytes) -> str:
    """Return bytes that stand for a URL as text for `split_url`; what is no UTF-8 stays a byte."""
    return data.decode("utf-8", "surrogateescape")


def _read(url: str, base: str | None = None) -> ada_url.URL:
    text = _LONE_BYTE.sub(lambda found: f"%{ord(found[0]) - 0xDC00:02X}", url)
    return ada_url.URL(text, base=base)  # a UnicodeEncodeError is a ValueError


def _host(name: str) -> Address | str:
    if name.startswith("["):
        return IPv6Address(name[1:-1])
    name = name.removesuffix(".")
    if len(name) > MAX_HOST or not _HOST.fullmatch(name):
        raise ValueError("holds no usable host")
    if re.fullmatch(r"[0-9]+", name.rpartition(".")[2]):
        return IPv4Address(name)  # the parser has brought it into this form
    return name
