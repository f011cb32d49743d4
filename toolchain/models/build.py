"""Make one model: fetch its sources, convert and check them, add signatures, put it into the cache in one move."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from toolchain import cache
from toolchain.lock import exclusive
from toolchain.models import errors, pictures, recipe, source
from toolchain.models.catalogue import Folders, Model
from toolchain.models.fetch import fetch
from toolchain.progress import say

_CHECKOUT = Path(__file__).parents[2]


def build(model: Model) -> None:
    """Make a model unless the cache has it; readers see the old one or the whole new one.

    Raises:
        ModelError: A source cannot be had, or the result is not what it has to be.
    """
    cache.make_folder(cache.models())
    with exclusive(cache.models() / f".{model.name}.lock", f"the {model.name} model"):
        if recipe.is_current(model):
            return
        pictures.copy()
        pins = source.load()
        folders = {name: fetch(pins[name]) for name in model.sources}
        with tempfile.TemporaryDirectory(dir=cache.models(), prefix=f".{model.name}-") as scratch:
            plain, place = Path(scratch) / "plain" / model.name, Path(scratch) / model.name
            _make(model, folders, plain)
            say("  adding signatures that take pixels and JPEG files")
            _add_signatures(model, plain, place)
            recipe.stamp(model, place)
            _publish(Path(scratch), model)


def _make(model: Model, folders: Folders, place: Path) -> None:
    place.mkdir(parents=True)
    shutil.copyfile(recipe.card(model), place / "model.yaml")
    shutil.copyfile(folders[model.weights] / model.licence_file, place / "LICENSE")
    (place / "labels.txt").write_text("\n".join(model.labels(folders)) + "\n")
    (place / "ORIGIN.txt").write_text(_origin(model))
    say(f"  converting {model.title}")
    _convert(model, folders[model.weights], place)


def _convert(model: Model, weights: Path, place: Path) -> None:
    done = _run("toolchain.models.conversion", model.name, str(weights), str(place), str(pictures.folder()))
    if done.returncode != 0:
        raise _problem(model, done)
    say(done.stdout.rstrip())


def _add_signatures(model: Model, plain: Path, place: Path) -> None:
    """Let the publisher write the model again. It compares the result with what went in, to the bit."""
    done = _run("publisher", f"--model={plain}", f"--out={place}")
    if done.returncode != 0:
        raise errors.ConversionError(
            f"signatures of the {model.name} model",
            f"the publisher ended with code {done.returncode}: {done.stderr.strip()[-800:]}",
            "the model is not in the cache",
            "code -9 means that memory ran out (2 GiB are needed); everything else is a bug, please report it",
        )


def _run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module in its own process; its log is shown only if it fails."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=_CHECKOUT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
    )


def _problem(model: Model, done: subprocess.CompletedProcess[str]) -> errors.ModelError:
    """Return the problem that the conversion reported, or else what it last said."""
    last = done.stdout.strip().rpartition("\n")[2]
    if last.startswith('{"problem"'):
        kind, *parts = json.loads(last)["problem"]
        return getattr(errors, kind, errors.ModelError)(*parts)
    return errors.ConversionError(
        f"conversion of the {model.name} model",
        f"it ended with code {done.returncode}: {done.stderr.strip()[-800:]}",
        "the model is not in the cache",
        "code -9 means that memory ran out (2 GiB are needed); everything else is a bug, please report it",
    )


def _publish(scratch: Path, model: Model) -> None:
    """Put the finished folder in place of the old one, which goes away with the scratch folder."""
    target = recipe.folder(model)
    if target.exists():
        target.rename(scratch / "old")
    (scratch / model.name).rename(target)


def _origin(model: Model) -> str:
    weights = source.load()[model.weights]
    return (
        f"{model.title}.\n"
        f"Weights: {weights.client} package {weights.package} {weights.version}; licence: {weights.licence}.\n"
        f"Labels: {model.labels_origin}.\n"
        "Converted to a TensorFlow SavedModel by KubEVC, toolchain/models/conversion.\n"
    )
