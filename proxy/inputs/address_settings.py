"""Settings of pictures by address: off unless hosts are named."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from proxy.document import Document


class AddressSettings(Document):
    """Say from where the proxy may fetch a picture that a sender names by its address."""

    allowed_hosts: tuple[str, ...] = ()
    """Names such as `images.example.org`, or `*.example.org` for every name below it; empty: no picture is fetched."""
    allowed_schemes: tuple[Literal["https", "http"], ...] = ("https",)
    allowed_ports: tuple[int, ...] = (443, 80)
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Private networks that an allowed host may lie in; all others must be public addresses."""
    certificates: Path | None = None
    """A file of certificate authorities (PEM) that hosts are checked against instead of the public ones."""
    max_mib: float = Field(default=16, gt=0, le=1024)

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts_are_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            name = host.removeprefix("*.")
            if not name or not name.isascii() or any(sign in name for sign in "*/@ ") or name != name.lower():
                raise ValueError(f"{host!r} is no host name in small ASCII letters, perhaps with '*.' before it")
        return hosts

    @property
    def enabled(self) -> bool:
        """Say whether any host is allowed."""
        return bool(self.allowed_hosts)

    def allows_host(self, host: str) -> bool:
        """Say whether a host, in small ASCII letters and without a dot at its end, is among the allowed ones."""
        return any(
            host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed
            for allowed in self.allowed_hosts
        )
