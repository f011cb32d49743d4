"""Write what publishers say of their files into a lock table.

With NAME=VERSION, rows of that release for every architecture; without, the sha256 of each row that lacks one. Run it
on a machine that reaches the publishers. Names and signatures: docs/pinning.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from components.errors import LockTableError, numbered
from components.pinning import rows
from components.pinning.download import Downloader
from components.pinning.pin import complete_rows, pin_release
from components.pinning.proof import Tools
from components.pinning.releases import Upstream
from components.site import OFFICIAL_TABLE


def main(arguments: list[str], *, upstream: Upstream | None = None, downloader: Downloader | None = None) -> int:
    """Run the command; return its exit status."""
    chosen = _parser().parse_args(arguments)
    tools = Tools(
        downloader=downloader or Downloader(),
        require_signatures=chosen.require_signatures,
        runc_keyring=chosen.runc_keyring,
    )
    try:
        if chosen.releases:
            _add(chosen.table, chosen.releases, upstream or Upstream(), tools)
        else:
            _complete(chosen.table, tools)
    except (LockTableError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _add(table: Path, releases: list[str], upstream: Upstream, tools: Tools) -> None:
    found = [row for request in releases for row in pin_release(request, upstream, tools, _say)]
    changed = rows.write(table, found)
    _say(f"{table}: {numbered(changed, 'row')} written, {len(found) - changed} there already.")


def _complete(table: Path, tools: Tools) -> None:
    if found := complete_rows(table, tools, _say):
        _say(f"{table}: {numbered(rows.write(table, found), 'row')} completed.")
    else:
        _say(f"{table}: no row lacks a sha256. To add a release: make pin DISTRIBUTION=kubeadm VERSION=v1.34.1")


def _say(line: str) -> None:
    # At once, also into a pipe: a release with signatures takes minutes.
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m components.pinning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("releases", nargs="*", metavar="NAME=VERSION", help="such as kubeadm=v1.34.1 runc=v1.3.3")
    parser.add_argument("--table", type=Path, default=OFFICIAL_TABLE, help="lock table (default: the official one)")
    parser.add_argument(
        "--require-signatures", action="store_true", help="refuse what its publisher signs and cannot be verified here"
    )
    parser.add_argument("--runc-keyring", type=Path, help="public keys of runc's maintainers, as gpg reads them")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
