"""Check a site's file without Pulumi: python -m components.check Pulumi.SITE.yaml"""

from __future__ import annotations

import sys
from pathlib import Path

from components.errors import SiteFileError
from components.load import load_file


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        site = load_file(Path(arguments[0])).site
    except SiteFileError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{site.name}: {len(site.nodes)} nodes, {len(site.models)} models; nothing is wrong with the file.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
