"""Which graph each of the paper's models has; names and shapes are those of `experiments.four_models`."""

from __future__ import annotations

from pathlib import Path

import keras
import tensorflow as tf

from experiments import four_models
from experiments.paper import BERT, INCEPTION, MOBILENET, YOLO
from experiments.paper_models.bert import Bert
from experiments.paper_models.export import export, export_keras
from experiments.paper_models.yolov5 import yolov5s

_SEED = 7


def write_graph(name: str, folder: Path) -> None:
    """Write a model's version with random weights, the same on every run."""
    keras.utils.set_random_seed(_SEED)
    if name == BERT:
        _write_bert(folder)
        return
    spec = four_models.PICTURE_MODELS[name]
    networks = {
        MOBILENET: lambda: keras.applications.MobileNet(weights=None, input_shape=spec.array_shape[1:]),
        INCEPTION: lambda: keras.applications.InceptionV3(weights=None, input_shape=spec.array_shape[1:]),
        YOLO: lambda: yolov5s(spec.side, four_models.COCO_CLASSES),
    }
    export_keras(networks[name](), spec.tensor, spec.output, folder)


def _write_bert(folder: Path) -> None:
    bert = Bert(classes=2)
    shape = [None, four_models.TOKENS]
    inputs = [tf.TensorSpec(shape, tf.int32, name=name) for name in four_models.token_arrays()]
    export(lambda **tokens: {"probabilities": bert(**tokens)}, bert.variables, inputs, folder)
