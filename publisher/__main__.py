"""`python -m publisher --model FOLDER --out FOLDER`: write a model with the signatures that need the fewest bytes."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

from publisher.errors import LibraryError, PublisherError


def main(arguments: list[str] | None = None) -> int:
    """Publish, and say what was added. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m publisher", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, metavar="FOLDER", help="card, labels and versions")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the result goes")
    options = parser.parse_args(arguments)
    try:
        _publish(options.model, options.out)
    except PublisherError as problem:
        print(f"publisher: {problem}", file=sys.stderr)
        return 1
    return 0


def _publish(source: Path, target: Path) -> None:
    if importlib.util.find_spec("tensorflow") is None:
        raise LibraryError(
            where="this Python environment",
            found="no TensorFlow",
            reason="The added signatures are written with it",
            remedy="Run: uv sync --group reference",
        )
    # Set before the import: TensorFlow's C++ code writes its start-up notes to stderr otherwise.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    from publisher.publishing import publish

    for published in publish(source, target):
        added = f"added {', '.join(published.added)}" if published.added else "copied as it is"
        print(f"{target / published.version}: {added}{f' ({published.note})' if published.note else ''}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
