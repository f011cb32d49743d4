"""Merge a site's kubeconfig, read from stdin, into your own; cluster, user and context are named after the site.

pulumi stack output --show-secrets kubeconfig | python -m components.kubeconfig --merge --name edge-lab
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import yaml

Config = dict[str, Any]
LISTS = ("clusters", "users", "contexts")


def renamed(config: Config, name: str) -> Config:
    """Return a kubeconfig of one cluster with everything in it called `name`."""
    return {
        "clusters": [{"name": name, "cluster": config["clusters"][0]["cluster"]}],
        "users": [{"name": name, "user": config["users"][0]["user"]}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }


def merged(own: Config, site: Config, name: str) -> Config:
    """Return your kubeconfig with a site's entries in place of older ones of the name, and its context current."""
    result: Config = {"apiVersion": "v1", "kind": "Config", **own}
    for key in LISTS:
        entries: list[Config] = own.get(key) or []
        others = [entry for entry in entries if entry["name"] != name]
        result[key] = [*others, *site[key]]
    result["current-context"] = name
    return result


def parse(text: str) -> Config:
    """Read a kubeconfig.

    Raises:
        ValueError: The text is none.
    """
    try:
        content: Any = yaml.safe_load(text)
    except yaml.YAMLError as broken:
        raise ValueError("it is not YAML") from broken
    match content:
        case {"clusters": [_, *_], "users": [_, *_], "contexts": [_, *_]}:
            return cast(Config, content)
        case _:
            raise ValueError("it has no clusters, users and contexts")


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; nobody else may read it at any moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)


def default_path() -> Path:
    """Return the file that kubectl reads first."""
    first = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(first) if first else Path.home() / ".kube" / "config"


def needs_tunnel(config: Config) -> bool:
    """Return whether a site's kubeconfig leads to the entrance of a tunnel, as `api_access.py` writes it."""
    return "tls-server-name" in config["clusters"][0]["cluster"]


def merge(text: str, name: str, path: Path) -> Config:
    """Merge a site's kubeconfig into a file, and return what was merged.

    Raises:
        ValueError: One of the two is no kubeconfig.
    """
    site = renamed(parse(text), name)
    own = parse(path.read_text()) if path.exists() and path.read_text().strip() else {}
    write_private(path, yaml.safe_dump(merged(own, site, name), sort_keys=False))
    return site


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m components.kubeconfig", description=__doc__)
    parser.add_argument("--merge", action="store_true", required=True, help="write into your kubeconfig")
    parser.add_argument("--name", default="kubevc", help="name of cluster, user and context")
    options = parser.parse_args(arguments)
    path = default_path()
    try:
        site = merge(sys.stdin.read(), options.name, path)
    except ValueError as problem:
        print(
            f"kubeconfig for {options.name} or {path}: {problem}. Nothing was written. Is the site up?", file=sys.stderr
        )
        return 1
    print(f"{path}: context {options.name} is current")
    if needs_tunnel(site):
        print(f"Its API is reached through SSH. While you use kubectl, run: make tunnel SITE={options.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
