"""The bottom layer of the images that write firewall rules: Debian 12's iptables, nftables backend alone, and ipset.

Hosts of Debian 12 use the same backend; rules of the old kernel interface would stand beside theirs, unseen.
"""

from pathlib import Path

from toolchain.images.debian_root import DebianRoot

_COMMANDS = tuple(f"{family}{verb}" for family in ("iptables", "ip6tables") for verb in ("", "-save", "-restore"))
# What the hook of flannel's pods uses.
_SHELL = ("mv", "seq", "sh", "sleep")


def _finish(tree: Path) -> None:
    # On a host the package's installation script chooses the backend.
    for command in _COMMANDS:
        (tree / "usr/sbin" / command).symlink_to("xtables-nft-multi")
    for command in _SHELL:
        (tree / "usr/bin" / command).symlink_to("busybox")


ROOT = DebianRoot(
    title="Debian 12 iptables and ipset",
    packages=Path(__file__).with_name("netfilter-packages.txt"),
    # The old interface, and scripts that need a shell.
    unneeded=("usr/sbin/*-legacy*", "usr/bin/iptables-xml", "usr/sbin/*-apply"),
    finish=_finish,
    sources=(__file__,),
)
