"""The files that make a root tree one host: its name, its keys, where it finds packages."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import IPv4Address
from pathlib import Path

from lab.errors import MachineError
from lab.keys import Keys, public_file
from lab.paths import ROOM

_HELPER = "/usr/local/lib/kubevc-nfs"


@dataclass(frozen=True)
class HostFile:
    """A file to write before the first boot."""

    content: bytes
    mode: int = 0o644


def identity(
    host: str, addresses: Mapping[str, IPv4Address], gateway: IPv4Address, apt_proxy: str, keys: Keys
) -> dict[str, HostFile]:
    """Return the files of one host by their absolute path.

    Args:
        host: Its name.
        addresses: All hosts of the instance.
        gateway: This machine's address in their network.
        apt_proxy: URL of the apt cache.
        keys: The instance's keys; the host's own must be made.
    """
    key = keys.host_key_file(host)
    names = "".join(f"{address} {name}\n" for name, address in addresses.items())
    return {
        "/etc/hostname": HostFile(f"{host}\n".encode()),
        "/etc/hosts": HostFile(f"127.0.0.1 localhost\n{names}".encode()),
        "/etc/machine-id": HostFile(f"{uuid.uuid4().hex}\n".encode(), 0o444),
        # Nothing answers there: a name that is not in /etc/hosts is refused at once instead of after a timeout.
        "/etc/resolv.conf": HostFile(f"nameserver {gateway}\n".encode()),
        "/etc/apt/apt.conf.d/60lab-cache": HostFile(f'Acquire::http::Proxy "{apt_proxy}";\n'.encode()),
        "/etc/ssh/ssh_host_ed25519_key": HostFile(key.read_bytes(), 0o600),
        "/etc/ssh/ssh_host_ed25519_key.pub": HostFile(public_file(key).read_bytes()),
        "/root/.ssh/authorized_keys": HostFile(keys.authorized_keys().encode(), 0o600),
    }


def mount_helper() -> dict[str, HostFile]:
    """Return the stand-in for the kernel's NFS client (docs/lab.md), for hosts that share this machine's kernel."""
    package = ROOM / "nfs_mount"
    files = {f"{_HELPER}/nfs_mount/{file.name}": HostFile(file.read_bytes()) for file in package.glob("*.py")}
    files[f"{_HELPER}/mount.nfs"] = HostFile((package / "mount.nfs").read_bytes(), 0o755)
    files[f"{_HELPER}/mfusepy.py"] = HostFile(_mfusepy().read_bytes())
    return files


def _mfusepy() -> Path:
    found = find_spec("mfusepy")
    if found is None or found.origin is None:
        raise MachineError(
            "Python package mfusepy", "is not installed", "hosts cannot mount the model store", "uv sync --group lab"
        )
    return Path(found.origin)
