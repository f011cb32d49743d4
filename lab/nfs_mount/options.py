"""The command line of mount.nfs, as mount(8) and the kubelet give it."""

from dataclasses import dataclass
from typing import Any

_LIBFUSE_FLAGS = ("ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime")
_NUMBERS = ("port", "timeo", "retrans", "actimeo", "rsize", "wsize")
_LARGEST_REQUEST = 1 << 20


class OptionError(Exception):
    """The command line asks for what this helper cannot do; the text is for mount's caller."""


@dataclass(frozen=True)
class MountOptions:
    """What to mount where, and how."""

    source: str
    """SERVER:/PATH, as it was given."""
    target: str
    settings: dict[str, str]
    """Options by name; those without a value have an empty one."""
    fake: bool = False

    @property
    def host(self) -> str:
        """The server's name or address."""
        return self._parts()[0].strip("[]")

    @property
    def path(self) -> str:
        """The exported directory."""
        return self._parts()[1]

    @property
    def port(self) -> int:
        """The server's TCP port."""
        return self.number("port", 2049)

    @property
    def limit_seconds(self) -> float | None:
        """How long a request waits before EIO: None with `hard`, the default; nfs(5) explains timeo and retrans."""
        if "soft" not in self.settings:
            return None
        return self.number("timeo", 600) / 10 * (self.number("retrans", 2) + 1)

    @property
    def attribute_seconds(self) -> float:
        """How long the kernel may keep attributes."""
        return 0.0 if "noac" in self.settings else float(self.number("actimeo", 3))

    def size(self, name: str) -> int:
        """Return the largest request in bytes that `rsize` or `wsize` allows."""
        return max(4096, min(self.number(name, _LARGEST_REQUEST), _LARGEST_REQUEST))

    def number(self, name: str, default: int) -> int:
        """Return an option's number.

        Raises:
            OptionError: It is no number.
        """
        value = self.settings.get(name) or str(default)
        if not value.isdigit():
            raise OptionError(f"an incorrect mount option was specified ({name}={value})")
        return int(value)

    def flags(self) -> dict[str, Any]:
        """Return the options that libfuse is to pass to the kernel; unlike FUSE, NFS allows suid and devices."""
        flags = {name: True for name in _LIBFUSE_FLAGS if name in self.settings}
        return flags | {name: True for name in ("suid", "dev") if f"no{name}" not in self.settings}

    def _parts(self) -> tuple[str, str]:
        if ":/" in self.source:
            host, path = self.source.split(":/", 1)
            return host, f"/{path}"
        host, _, path = self.source.partition(":")
        return host, path


def parse(arguments: list[str]) -> MountOptions:
    """Read the command line: PROGRAM SERVER:/PATH DIRECTORY [-rwvfns] [-o OPTIONS].

    Raises:
        OptionError: It is not one, has a word for a number, or asks for another version or for Kerberos.
    """
    plain, words, fake = _sort(arguments[1:])
    if len(plain) != 2 or ":" not in plain[0]:
        raise OptionError("usage: mount.nfs SERVER:/PATH DIRECTORY [-o OPTIONS]")
    settings = {name: value for name, _, value in (word.partition("=") for word in words if word)}
    _refuse_what_it_cannot(settings)
    options = MountOptions(plain[0], plain[1], settings, fake)
    for name in _NUMBERS:
        options.number(name, 0)
    return options


def _sort(arguments: list[str]) -> tuple[list[str], list[str], bool]:
    plain: list[str] = []
    words: list[str] = []
    fake, rest = False, iter(arguments)
    for argument in rest:
        if argument in ("-o", "-t", "-N"):
            value = next(rest, "")
            words += value.split(",") if argument == "-o" else []
        elif argument.startswith("-o"):
            words += argument[2:].split(",")
        elif argument in ("-r", "--ro"):
            words.append("ro")
        elif argument in ("-f", "--fake"):
            fake = True
        elif not argument.startswith("-"):
            plain.append(argument)
    return plain, words, fake


def _refuse_what_it_cannot(settings: dict[str, str]) -> None:
    version = settings.get("vers") or settings.get("nfsvers") or "4"
    if not version.startswith("4"):
        raise OptionError("Protocol not supported (this helper speaks NFS 4 only)")
    security = settings.get("sec", "sys")
    if security not in ("sys", "none"):
        raise OptionError(f"an incorrect mount option was specified (sec={security})")
