"""What saved_model.pb says about a model: its signatures. Nothing of TensorFlow is needed to read it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from google.protobuf.message import DecodeError

from modelserver.errors import InvalidArgument, NotFound
from modelserver.storage import GRAPH
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef
from protos.stubs.tensorflow.core.protobuf.saved_model_pb2 import SavedModel

SERVE_TAG = "serve"
DEFAULT_SIGNATURE = "serving_default"

# A TF2 export lists its initialisation function among the signatures; it has no outputs to ask for.
INITIALISER = "__saved_model_init_op"


def read(version_path: Path) -> SavedModel:
    """Read the saved_model.pb of a version.

    Raises:
        NotFound: there is none.
        InvalidArgument: it is cut off, or no SavedModel.
    """
    try:
        data = (version_path / GRAPH).read_bytes()
    except OSError as error:
        raise NotFound(f"Could not read {version_path / GRAPH}: {error.strerror or error}") from error
    try:
        model = SavedModel.FromString(data)
    except DecodeError as error:
        raise InvalidArgument(f"{version_path / GRAPH} ({len(data)} bytes) is not a SavedModel: {error}") from error
    if not model.meta_graphs:
        raise InvalidArgument(f"{version_path / GRAPH} ({len(data)} bytes) holds no graph")
    return model


def serving_graph(model: SavedModel) -> MetaGraphDef:
    """Return the graph that is tagged for serving.

    Raises:
        NotFound: no graph has the tag.
    """
    for graph in model.meta_graphs:
        if SERVE_TAG in graph.meta_info_def.tags:
            return graph
    raise NotFound(f"Could not find meta graph def matching supplied tags: {{ {SERVE_TAG} }}")


def signatures(graph: MetaGraphDef) -> Mapping[str, SignatureDef]:
    """Return every signature of a graph by its name.

    They are copies: a part of a message keeps the memory of the whole, and that is the whole model here.
    """
    copies: dict[str, SignatureDef] = {}
    for name, definition in graph.signature_def.items():
        copies[name] = SignatureDef()
        copies[name].CopyFrom(definition)
    return copies


def with_default(model: SavedModel, name: str, output_names: Mapping[str, str]) -> bytes:
    """Return the bytes of a saved_model.pb in which signature `name` stands in the place of serving_default.

    Everything else, also what our definitions do not know, stays as it is.

    Args:
        model: the original.
        name: a signature of it.
        output_names: for each output of the signature, the name to give it.
    """
    edited = SavedModel()
    edited.CopyFrom(model)
    graph = serving_graph(edited)
    chosen = SignatureDef()
    chosen.CopyFrom(graph.signature_def[name])
    outputs = {output_names[output]: info for output, info in graph.signature_def[name].outputs.items()}
    chosen.outputs.clear()
    for output, info in outputs.items():
        chosen.outputs[output].CopyFrom(info)
    graph.signature_def[DEFAULT_SIGNATURE].CopyFrom(chosen)
    return edited.SerializeToString()
