"""`python -m toolchain.models [MODEL ...]`: make the lab's models, all of them or those named."""

import argparse
import sys
import time

from toolchain.errors import ToolchainError
from toolchain.models import STEPS, recipe
from toolchain.models.step import ModelStep
from toolchain.progress import say


def main(arguments: list[str] | None = None) -> int:
    """Make the chosen models and print where they are."""
    parser = argparse.ArgumentParser(
        prog="python -m toolchain.models", description="Make the models of the lab's site."
    )
    names = [step.model.name for step in STEPS]
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"one or more of: {', '.join(names)}")
    chosen = parser.parse_args(arguments).models
    if unknown := sorted(set(chosen) - set(names)):
        parser.error(f"no model is named {', '.join(unknown)}; there are: {', '.join(names)}")
    try:
        for step in STEPS:
            if not chosen or step.model.name in chosen:
                _make(step)
    except ToolchainError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _make(step: ModelStep) -> None:
    started = time.monotonic()
    if not step.is_done():
        say(step.name)
        step.run()
    print(f"{recipe.folder(step.model)}  ({time.monotonic() - started:.1f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
