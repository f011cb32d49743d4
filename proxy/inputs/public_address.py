"""Public addresses: which ones a host of strangers' choosing may lead to (RFC 6890 and the registries it began)."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
# What Python's own table may not have: assignments of protocols and examples; and what is public by its number, but not
# by its use: the relays of 6to4, and the host that Azure serves its machines from.
_NOT_PUBLIC: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("168.63.129.16/32"),
    IPv6Network("2001::/23"),
    IPv6Network("3fff::/20"),
)


def is_reachable(text: str, allowed: Sequence[Network]) -> bool:
    """Say whether an address may be connected to.

    Args:
        text: The address, as the resolver gives it.
        allowed: Networks that are wanted although they are not public.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        address = _embedded(address)
    return any(address in network for network in allowed) or _is_public(address)


def _embedded(address: IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that is really connected to, where an IPv6 address only wraps one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if any(address in network for network in _NOT_PUBLIC):
        return False
    return isinstance(address, IPv4Address) or (address in _GLOBAL_UNICAST and address.sixtofour is None)
