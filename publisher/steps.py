"""Steps: the added signatures once more, cut into small graphs before and behind the original's own signature.

TensorFlow runs an added signature as one graph. A runtime that compiles each signature apart would hold the weights
once per signature, and OpenVINO cannot decode JPEG files in a graph. For those, `assets.extra/steps.json` says which
small graphs (SavedModels without weights, in `assets.extra/steps/`) stand before and behind `serving_default`, and
what a server has to do with a JPEG file. The format is described in docs/publisher.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tensorflow as tf

from proxy.pictures.picture_input import PictureInput
from proxy.signature_names import CLASSES, DETECTIONS, ENCODED, PIXELS, SCORES
from publisher.original import DEFAULT_SIGNATURE
from publisher.saved_model import write
from publisher.wrapper import Wrapper

EXTRAS = "assets.extra"
FILE = "steps.json"
FOLDER = "steps"
FORMAT = 1

Step = dict[str, Any]


def write_steps(wrapper: Wrapper, spec: PictureInput, outputs: list[str], version: Path) -> None:
    """Write the steps of every added signature into a version's folder.

    Args:
        wrapper: What was added.
        spec: What the card says of the model's input.
        outputs: The names of the original's outputs.
        version: The version's folder.
    """
    extras = version / EXTRAS
    extras.mkdir(exist_ok=True)
    decode, names = _decode_step(spec), wrapper.names
    before = [_input_step(wrapper, spec, extras)]
    plain = [*before, _model_step(spec, {name: name for name in outputs})]
    chains = {names.pixels: plain, names.encoded: [decode, *plain]}
    if wrapper.answers:
        answering = [*before, _model_step(spec, {name: f"model/{name}" for name in outputs})]
        answering.append(_answer_step(wrapper, extras))
        chains |= {str(names.pixels_answer): answering, str(names.encoded_answer): [decode, *answering]}
    text = json.dumps({"format": FORMAT, "signatures": chains}, indent=1, sort_keys=True)
    (extras / FILE).write_text(text + "\n", encoding="utf-8")


def _decode_step(spec: PictureInput) -> Step:
    keys = ("width_pixels", "height_pixels", "resize", "interpolation", "crop_fraction", "pad_value")
    fit = {name.replace("_", "-"): getattr(spec, name) for name in keys}
    return {"decode": fit, "takes": {ENCODED: ENCODED}, "gives": {PIXELS: PIXELS}}


def _input_step(wrapper: Wrapper, spec: PictureInput, extras: Path) -> Step:
    function = wrapper.input_step()
    write(wrapper.normalise, {DEFAULT_SIGNATURE: function}, extras / FOLDER / "input")
    return {"graph": f"{FOLDER}/input", "takes": {PIXELS: PIXELS}, "gives": {spec.tensor: f"input/{spec.tensor}"}}


def _model_step(spec: PictureInput, gives: dict[str, str]) -> Step:
    return {"signature": DEFAULT_SIGNATURE, "takes": {spec.tensor: f"input/{spec.tensor}"}, "gives": gives}


def _answer_step(wrapper: Wrapper, extras: Path) -> Step:
    function, used = wrapper.answer_step()
    write(tf.Module(), {DEFAULT_SIGNATURE: function}, extras / FOLDER / "answer")
    settings = [tensor.op.name for tensor in function.inputs if tensor.op.name not in used]
    takes = {given: f"model/{name}" for given, name in used.items()} | {name: name for name in settings}
    gives = [DETECTIONS] if DETECTIONS in function.structured_outputs else [SCORES, CLASSES]
    return {"graph": f"{FOLDER}/answer", "takes": takes, "gives": {name: name for name in gives}}
