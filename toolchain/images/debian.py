"""Fetch Debian 12 packages, signatures checked by apt, for any architecture and from whatever Debian apt knows.

apt works on folders of its own here: the machine's package state is neither read nor changed. The mirrors are those
that the machine's apt is configured for.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from toolchain.images.command import run
from toolchain.images.errors import PackageError

_RELEASE = "bookworm"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# dpkg-deb --extract would put folders in the place of those links.
_UNPACK = 'set -o pipefail; dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"'
_WHY = "the images' lowest layers come from Debian 12 packages"
_REMEDY = "check that `apt-get update` works here, or set KUBEVC_DEBIAN_MIRROR to the address of a Debian mirror"


def download(names: Sequence[str], architecture: str, folder: Path) -> list[Path]:
    """Download packages into a folder and return their paths, sorted.

    Args:
        names: Package names; dependencies are not followed.
        architecture: Debian's word for it.
        folder: An empty folder; apt's own files go there too.

    Raises:
        PackageError: apt is missing, knows no Debian mirror, or does not get a package.
    """
    settings = _prepare(folder, architecture)
    _apt(settings, "update", folder)
    _apt(settings, "download", folder, *names)
    return sorted(folder.glob("*.deb"))


def unpack(package: Path, tree: Path) -> None:
    """Unpack a package over what is in a tree, where `/lib` and the like may be links into `/usr`."""
    remedy = "install bash, dpkg and tar (every Debian and Ubuntu has them)"
    run(["bash", "-c", _UNPACK, "unpack", str(package), str(tree)], PackageError, _WHY, remedy)


def control(package: Path) -> str:
    """Return the package's control file, which names its version and origin."""
    return run(["dpkg-deb", "--field", str(package)], PackageError, _WHY, "install dpkg")


def sources() -> list[str]:
    """Return the lines of a sources.list for Debian 12 from the mirrors that this machine uses.

    Raises:
        PackageError: apt is missing or knows no Debian mirror.
    """
    signed = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
    mirrors = _chosen_mirror() or _known_mirrors()
    if not mirrors:
        raise PackageError("apt", "this machine's apt sources name no mirror of Debian", _WHY, _REMEDY)
    return [f"deb {signed}{address} {suite} main" for address, suite in mirrors]


def _chosen_mirror() -> list[tuple[str, str]]:
    chosen = os.environ.get("KUBEVC_DEBIAN_MIRROR")
    return [(chosen, _RELEASE), (chosen, f"{_RELEASE}-updates")] if chosen else []


def _known_mirrors() -> list[tuple[str, str]]:
    """Return address and suite of each Debian archive that apt knows, the suite put to our release."""
    form = "$(CREATED_BY)|$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(CODENAME)"
    rows = (row.split("|") for row in _targets(form))
    found = {
        (address, suite.replace(codename.split("-")[0], _RELEASE, 1))
        for kind, origin, address, suite, codename in rows
        if kind == "Packages" and origin == "Debian" and suite.startswith(codename.split("-")[0])
    }
    return sorted(found)


def _targets(form: str) -> list[str]:
    return run(["apt-get", "indextargets", "--format", form], PackageError, _WHY, _REMEDY).splitlines()


def _prepare(folder: Path, architecture: str) -> Path:
    """Write apt's configuration for folders of its own."""
    apt = folder / "apt"
    for name in ("state/lists/partial", "cache/archives/partial", "parts"):
        (apt / name).mkdir(parents=True)
    (apt / "state" / "status").touch()
    (apt / "sources.list").write_text("\n".join(sources()) + "\n")
    (apt / "apt.conf").write_text(
        f'Dir::State "{apt}/state";\n'
        f'Dir::State::status "{apt}/state/status";\n'
        f'Dir::Cache "{apt}/cache";\n'
        f'Dir::Etc::SourceList "{apt}/sources.list";\n'
        f'Dir::Etc::SourceParts "{apt}/parts";\n'
        f'APT::Architecture "{architecture}";\n'
        f'APT::Architectures {{ "{architecture}"; }};\n'
        'Acquire::Languages "none";\n'
        # The folder may be unreadable for apt's own user; nothing is installed as root here.
        'APT::Sandbox::User "root";\n'
    )
    return apt / "apt.conf"


def _apt(settings: Path, verb: str, folder: Path, *names: str) -> None:
    # apt reads the file of -c after those in /etc/apt/apt.conf.d, so that it wins over what a machine sets there.
    command = ["apt-get", "-c", str(settings), "--quiet=2", verb, *names]
    run(["env", "-C", str(folder), *command], PackageError, _WHY, _REMEDY)


def listed(path: Path) -> list[str]:
    """Read package names from a file with comments."""
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
