"""Where this machine gets Debian from, so that the lab's hosts get it from the same place."""

import re
from dataclasses import dataclass
from pathlib import Path

SUITE = "bookworm"
_DEFAULT = "http://deb.debian.org/debian"


@dataclass(frozen=True, kw_only=True)
class Mirrors:
    """The archives of Debian and of its security updates."""

    main: str
    security: str


def mirrors(apt: Path = Path("/etc/apt")) -> Mirrors:
    """Return the archives in this machine's apt sources, else Debian's own.

    Only plain HTTP counts: packages are signed, and the lab's cache cannot look into HTTPS.
    """
    found = {suite: uri for file in _sources(apt) for suite, uri in _entries(file)}
    main = found.get(SUITE, _DEFAULT)
    security = found.get(f"{SUITE}-security", re.sub(r"/debian$", "/debian-security", main))
    return Mirrors(main=main, security=security)


def _sources(apt: Path) -> list[Path]:
    return [
        *apt.glob("sources.list"),
        *sorted(apt.glob("sources.list.d/*.list")),
        *sorted(apt.glob("sources.list.d/*.sources")),
    ]


def _entries(file: Path) -> list[tuple[str, str]]:
    """Return (suite, archive) pairs of one source file, in the one-line or the deb822 form."""
    text = file.read_text()
    if file.suffix == ".sources":
        return [pair for stanza in re.split(r"\n\s*\n", text) for pair in _stanza(stanza)]
    lines = re.findall(r"^deb\s+(?:\[[^\]]*\]\s+)?(http://\S+)\s+(\S+)\s", text, re.MULTILINE)
    return [(suite, uri.rstrip("/")) for uri, suite in lines]


def _stanza(stanza: str) -> list[tuple[str, str]]:
    fields = dict(re.findall(r"^(URIs|Suites|Types):\s*(.+)$", stanza, re.MULTILINE))
    if "deb" not in fields.get("Types", "").split():
        return []
    uris = [uri.rstrip("/") for uri in fields.get("URIs", "").split() if uri.startswith("http://")]
    return [(suite, uris[0]) for suite in fields.get("Suites", "").split() if uris]
