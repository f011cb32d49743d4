"""`python -m toolchain.models.conversion MODEL SOURCES FOLDER PICTURES`: convert one model and check it.

Run by `toolchain.models.build`, in a process of its own: TensorFlow takes seconds to import and its memory is only
given back by the end of the process. FOLDER already holds the card and the labels.
"""

import importlib
import json
import sys
from pathlib import Path

from toolchain.errors import ToolchainError
from toolchain.models.catalogue import CATALOGUE
from toolchain.models.conversion.check import check


def main(name: str, sources: str, folder: str, pictures: str) -> int:
    """Convert and check; report a known problem as one line of JSON on standard output."""
    (model,) = (model for model in CATALOGUE if model.name == name)
    converter = importlib.import_module(f"toolchain.models.conversion.{name}")
    try:
        converter.convert(Path(sources), Path(folder) / "1")
        check(Path(folder), Path(pictures), model.checks)
    except ToolchainError as problem:
        report = [type(problem).__name__, problem.where, problem.found, problem.why, problem.remedy]
        print(json.dumps({"problem": report}))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
