"""Write a graph as version 1 of a model, with its weights once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import tensorflow as tf


def export(call: Callable[..., dict[str, Any]], variables: Iterable[Any], inputs: list[Any], folder: Path) -> None:
    """Save `call` as `serving_default`.

    Args:
        call: Takes the inputs by their names and returns the outputs by theirs.
        variables: All weights that it uses.
        inputs: tf.TensorSpec of each input.
        folder: The version's folder.
    """
    module = tf.Module()
    # The variables alone: a Keras model beside them would have every weight saved twice.
    module.weights = list(variables)

    def serve(*tensors: Any) -> dict[str, Any]:
        return call(**{spec.name: tensor for spec, tensor in zip(inputs, tensors, strict=True)})

    function = tf.function(serve).get_concrete_function(*inputs)
    tf.saved_model.save(module, str(folder), signatures={"serving_default": function})


def export_keras(model: Any, input_name: str, output_name: str, folder: Path) -> None:
    """Save a Keras model of one input and one output."""
    spec = tf.TensorSpec(model.inputs[0].shape, tf.float32, name=input_name)
    variables = [variable.value for variable in model.variables]
    export(lambda **given: {output_name: model(given[input_name], training=False)}, variables, [spec], folder)
