"""Convert the detector: NanoDet-g, from a TensorFlow.js graph model."""

from pathlib import Path

import tensorflow as tf

from toolchain.models.conversion import graph, tfjs

_v1 = tf.compat.v1


def convert(sources: Path, folder: Path) -> None:
    """Write the detector's SavedModel.

    Args:
        sources: Folder of the fetched files of `human-models`.
        folder: The version folder to write; it must not exist.
    """
    save(tfjs.read(sources / "models" / "nanodet.json"), folder)


def save(model: tfjs.GraphModel, folder: Path) -> None:
    """Write a graph model as a SavedModel with the tag `serve` and the signature `serving_default`."""
    with _v1.Graph().as_default() as target, _v1.Session(graph=target) as session:
        _v1.import_graph_def(graph.build(model), name="")
        signature = _v1.saved_model.predict_signature_def(
            {name: target.get_tensor_by_name(tensor) for name, tensor in model.inputs.items()},
            {name: target.get_tensor_by_name(tensor) for name, tensor in model.outputs.items()},
        )
        builder = _v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
