"""Write a file to start a site of your own from: python -m components.new NAME"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from components.load import PROJECT
from components.part import DNS_LABEL
from components.texts import text


class NewSiteError(Exception):
    """Tell why no file was written."""


def write_site(name: str, folder: Path) -> Path:
    """Write `Pulumi.NAME.yaml` and return its path; never replaces a file.

    Raises:
        NewSiteError: The name cannot be a site's, or the file is there already.
    """
    if not re.match(DNS_LABEL, name):
        raise NewSiteError(
            f'NAME: found "{name}". It becomes a DNS name. '
            "Use lower-case letters, digits and hyphens: make site NAME=seoul"
        )
    path = folder / f"Pulumi.{name}.yaml"
    try:
        with path.open("x") as file:
            file.write(text("site.yaml").replace("NAME", name))
    except FileExistsError as there:
        raise NewSiteError(
            f"{path.name}: is there already. A site's file is never overwritten. Edit it, or choose another name."
        ) from there
    return path


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    try:
        path = write_site(arguments[0] if arguments else "", PROJECT)
    except NewSiteError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{path.name} is written. Fill in the addresses; then: .venv/bin/python -m components.check {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
