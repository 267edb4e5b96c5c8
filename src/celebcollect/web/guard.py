"""Let connections lead to public addresses only.

A name is resolved once, here, and every address that it has must be public. The connection is then
opened to one of the addresses that were checked, so a name cannot point elsewhere a moment later.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address

from celebcollect.web.addresses import Address, is_public
from celebcollect.web.failures import FetchFailed
from celebcollect.web.reasons import FetchReason, UrlReason


class Guard:
    """The internet without its private part, unless `allow_private`. Thread-safe."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    def addresses(self, host: str, port: int) -> list[Address]:
        """
        Return the addresses of a host, in the order of the system's resolver.

        Blocks for as long as that one does, usually at most 5 s for each server and try.

        Raises:
            FetchFailed: The host has no address, or at least one that is not public.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise FetchFailed(
                FetchReason.UNRESOLVABLE, f"{host}: {error}", transient=True
            ) from error
        addresses = list(dict.fromkeys(ip_address(place[0]) for *_, place in found))
        if not addresses:
            raise FetchFailed(FetchReason.UNRESOLVABLE, host, transient=True)
        for address in addresses:
            if not self._allow_private and not is_public(address):
                raise FetchFailed(UrlReason.PRIVATE_ADDRESS, f"{host} is {address}")
        return addresses
