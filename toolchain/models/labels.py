"""The class labels of the models, in the order of their class numbers."""

import ast
import re
from pathlib import Path

from toolchain.models.errors import ConversionError

_DATA = Path(__file__).parent / "data"


def coco() -> list[str]:
    """Return the 80 classes of COCO as detectors number them, without gaps, from 0."""
    return (_DATA / "coco80.txt").read_text().splitlines()


def imagenet(script: Path) -> list[str]:
    """Return the 1000 classes of ImageNet from the JavaScript table of @tensorflow-models/mobilenet.

    With `+` between strings left out, the table is a Python literal too; it is parsed, never run.

    Raises:
        ConversionError: The script holds no such table.
    """
    table = re.search(r"IMAGENET_CLASSES = (\{.*?\n\});", script.read_text(), re.DOTALL)
    try:
        classes: dict[int, str] = ast.literal_eval(re.sub(r"' \+$", "'", table[1], flags=re.MULTILINE)) if table else {}
        return [classes[number] for number in range(1000)]
    except (SyntaxError, ValueError, KeyError) as problem:
        raise ConversionError(
            str(script),
            f"the table of 1000 classes is not in it ({problem!r})",
            "the classifier's answers carry these names",
            "remove the downloaded source from the cache and run the set-up again",
        ) from problem
