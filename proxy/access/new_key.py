"""Make an API key.

    python -m proxy.access.new_key --name phone                           shows the key, and its entry for the file
    python -m proxy.access.new_key --name phone --keys-file keys.yaml     adds the entry itself, shows the key alone

The key is shown this once; the file has only its hash.
"""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from proxy.access.key_file import NAME_PATTERN, read_entries
from proxy.access.keys import ApiKey, new_key
from proxy.errors import ConfigError


def main() -> int:
    """Make a key; return 2 when it cannot be."""
    options = _parse_arguments()
    key = new_key()
    entry = entry_text(key, options)
    try:
        if options.keys_file is not None:
            _append(options.keys_file, entry)
    except ConfigError as error:
        print(error.message, file=sys.stderr)
        return 2
    print(key.text)
    if options.keys_file is None:
        print(f"\n# for the file of keys:\n{entry}", end="")
    return 0


def entry_text(key: ApiKey, options: argparse.Namespace) -> str:
    """Return the line that a key has in the file."""
    entry: dict[str, Any] = {"name": options.name, "sha256": key.sha256}
    if options.days is not None:
        entry["not-after"] = (datetime.now(UTC) + timedelta(days=options.days)).date()
    if options.model:
        entry["models"] = options.model
    if options.requests_per_second is not None:
        entry["rate-limit"] = {"requests-per-second": options.requests_per_second}
    return f"{key.id}: " + yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, width=10_000)


def _append(path: Path, entry: str) -> None:
    """Add a line to the file at one stroke, so that nobody reads half of it; it is readable for its owner alone."""
    kept = path.read_text(encoding="utf-8").rstrip("\n") + "\n" if path.exists() and read_entries(path) else ""
    aside = path.with_name(f".{path.name}.new")
    aside.touch(mode=0o600)
    aside.write_text(kept + entry, encoding="utf-8")
    aside.replace(path)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="proxy.access.new_key", description="Make an API key.")
    parser.add_argument("--name", required=True, type=_name, help="the client, as logs and metrics shall call it")
    parser.add_argument("--keys-file", type=Path, help="the file of keys to add the entry to")
    parser.add_argument("--model", action="append", help="a model that the key may ask; without any, all")
    parser.add_argument("--days", type=int, help="how many days the key shall work; without it, for ever")
    parser.add_argument("--requests-per-second", type=float, help="the client's own rate limit")
    return parser.parse_args()


def _name(text: str) -> str:
    if not re.fullmatch(NAME_PATTERN, text):
        raise argparse.ArgumentTypeError("a name has letters, digits, dots, hyphens and underscores, at most 63")
    return text


if __name__ == "__main__":
    sys.exit(main())
