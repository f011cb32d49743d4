"""`python -m experiments.paper_models [OUT]`: make the paper's four models, with every signature.

What is there already is kept. Without OUT they go to `bench-models` in the project's cache. Weights are random and
always the same.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from experiments import four_models
from experiments.paper import BERT, INCEPTION, MOBILENET, YOLO
from toolchain import cache

NAMES = (MOBILENET, INCEPTION, YOLO, BERT)
_HERE = Path(__file__).parent
_CHECKOUT = _HERE.parents[1]
_RECIPE = ".recipe"
_ORIGIN = "Random weights in the layers of {name}: for measuring time and traffic. What it answers means nothing.\n"


def main(arguments: list[str] | None = None) -> int:
    """Make what is missing, and print the folders."""
    parser = argparse.ArgumentParser(prog="python -m experiments.paper_models", description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=cache.root() / "bench-models", metavar="OUT")
    parser.add_argument("--model", action="append", choices=NAMES, help="this one alone; may be repeated")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.model or NAMES:
        if not is_current(options.out / name):
            _make(name, options.out)
        print(options.out / name, flush=True)
    return 0


def is_current(folder: Path) -> bool:
    """Say whether a model is there, made by this very code."""
    stamp = folder / _RECIPE
    return stamp.is_file() and stamp.read_text() == _identity()


def _identity() -> str:
    digest = hashlib.sha256()
    for path in _ingredients():
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _ingredients() -> Iterator[Path]:
    yield from sorted(_HERE.glob("*.py"))
    yield from (_HERE.parent / "four_models.py", _CHECKOUT / "proxy" / "card.py")
    yield from sorted((_CHECKOUT / "publisher").rglob("*.py"))
    yield from sorted((_CHECKOUT / "proxy" / "decoders").glob("*.py"))


def _make(name: str, out: Path) -> None:
    """Write graph and card aside, and let the publisher write the model from there."""
    with tempfile.TemporaryDirectory(dir=out, prefix=f".{name}-") as scratch:
        plain = Path(scratch) / name
        plain.mkdir()
        _write_card(name, plain)
        # Each in a process of its own: TensorFlow gives memory back at the end of one only.
        code = "import sys, pathlib; from experiments.paper_models.graphs import write_graph; "
        _run("-c", f"{code}write_graph(sys.argv[1], pathlib.Path(sys.argv[2]))", name, str(plain / "1"))
        _run("-m", "publisher", f"--model={plain}", f"--out={out / name}")
    (out / name / _RECIPE).write_text(_identity())


def _write_card(name: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        four_models.write(Path(scratch), "nowhere:1")
        shutil.copyfile(Path(scratch) / f"{name}.yaml", folder / "model.yaml")
        card = yaml.safe_load((folder / "model.yaml").read_text())
        for file in filter(None, (card.get("labels"), card.get("text", {}).get("vocabulary"))):
            shutil.copyfile(Path(scratch) / file, folder / file)
    (folder / "ORIGIN.txt").write_text(_ORIGIN.format(name=name))


def _run(*arguments: str) -> None:
    """Run Python; its log is shown only if it fails."""
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=_CHECKOUT, env=quiet, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"python {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    sys.exit(main())
