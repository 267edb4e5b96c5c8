"""Say which network addresses belong to the public internet; contacts nobody."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_NOT_PUBLIC_V4 = tuple(
    IPv4Network(network)
    for network in (
        # IANA IPv4 Special-Purpose Address Registry (read 2026-11). Written out, because
        # `is_global` differs between versions of Python.
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers; Alibaba's metadata service (100.100.100.200)
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; metadata services of AWS, GCP, Azure
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata service (192.0.0.192)
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast, which `is_global` lets through
        "240.0.0.0/4",
        "168.63.129.16/32",  # looks public, but is the host's own agent on every Azure machine
    )
)
_UNICAST_V6 = IPv6Network("2000::/3")
"""The only part of IPv6 that is handed out as global unicast (RFC 4291); NAT64, mapped, compatible,
ULA and link-local lie outside."""

_NOT_PUBLIC_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


def is_public(address: Address) -> bool:
    """
    Tell whether an address is one of the public internet.

    Those that carry an IPv4 address inside (mapped, NAT64, 6to4, Teredo) are not.
    """
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NOT_PUBLIC_V4)
    return (
        address.scope_id is None
        and address in _UNICAST_V6
        and address.is_global
        and not any(address in network for network in _NOT_PUBLIC_V6)
    )
