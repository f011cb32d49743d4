"""The keys of an instance: one to log in with, one per host to be known by."""

from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path

from lab.command import run


class Keys:
    """Ed25519 keys in an instance's folder; made here, so that every host is known before it first boots.

    Args:
        folder: The instance's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.private_key_file = folder / "id_ed25519"
        self.known_hosts_file = folder / "known_hosts"
        self._host_keys = folder / "host-keys"

    def create(self, hosts: Mapping[str, IPv4Address]) -> None:
        """Make the keys that are not there yet, and the known_hosts file."""
        self._host_keys.mkdir(mode=0o700, exist_ok=True)
        _make(self.private_key_file, "kubevc lab")
        for host in hosts:
            _make(self.host_key_file(host), host)
        lines = [f"{host},{address} {self._public(host)}\n" for host, address in hosts.items()]
        self.known_hosts_file.write_text("".join(lines))

    def host_key_file(self, host: str) -> Path:
        """Return the file of a host's private key; its public key lies beside it."""
        return self._host_keys / host

    def authorized_keys(self) -> str:
        """Return the line that lets the instance's key in."""
        return public_file(self.private_key_file).read_text()

    def _public(self, host: str) -> str:
        return " ".join(public_file(self.host_key_file(host)).read_text().split()[:2])


def public_file(private: Path) -> Path:
    """Return the file of the public key that belongs to a private one."""
    return private.with_name(f"{private.name}.pub")


def _make(file: Path, comment: str) -> None:
    if not file.exists():
        run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(file)],
            why="hosts are reached over SSH",
        )
