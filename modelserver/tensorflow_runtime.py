"""TensorFlow: the reference runtime. A version is a session, as in TensorFlow Serving itself."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Set before the import: TensorFlow's C++ code writes its start-up notes to stderr otherwise.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from modelserver import errors
from modelserver.savedmodel import SERVE_TAG, serving_graph, signatures
from modelserver.tensors import Array
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from protos.stubs.tensorflow.core.protobuf.saved_model_pb2 import SavedModel


class TensorFlowRuntime:
    """Loads versions as sessions of tf.compat.v1: the exact tensors that the SignatureDefs name."""

    name = "tensorflow"

    def __init__(self, threads: int = 0, parallel_inferences: int = 0) -> None:
        """Remember the thread pools' sizes; 0 leaves a number to TensorFlow."""
        # Its notes on deprecation are for people who write models, not for those who serve them.
        tf.get_logger().setLevel("ERROR")
        self._config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=threads, inter_op_parallelism_threads=parallel_inferences
        )

    def load(self, version_path: Path, model: SavedModel) -> TensorFlowModel:
        """Load graph and variables into a session of their own."""
        session = tf.compat.v1.Session(graph=tf.Graph(), config=self._config)
        try:
            with session.graph.as_default():
                tf.compat.v1.saved_model.loader.load(session, [SERVE_TAG], str(version_path))
        except (tf.errors.OpError, RuntimeError, ValueError, OSError) as error:
            session.close()
            raise _translated(error) from error
        return TensorFlowModel(session, signatures(serving_graph(model)))


class TensorFlowModel:
    """A version in a session."""

    hidden: frozenset[str] = frozenset()

    def __init__(self, session: Any, definitions: Mapping[str, SignatureDef]) -> None:
        """Take over an open session."""
        self._session = session
        self._definitions = definitions

    def run(
        self, signature: str, inputs: Mapping[str, Array], outputs: Sequence[str], timeout_seconds: float | None
    ) -> dict[str, Array]:
        """See LoadedModel."""
        definition = self._definitions[signature]
        feeds = {definition.inputs[name].name: value for name, value in inputs.items()}
        fetches = {name: definition.outputs[name].name for name in outputs}
        # 0 means no limit to TensorFlow, so a limit is at least a millisecond.
        limit = tf.compat.v1.RunOptions(timeout_in_ms=max(1, int(timeout_seconds * 1000)) if timeout_seconds else 0)
        try:
            answer = self._session.run(fetches, feeds, options=limit)
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise _translated(error) from error
        return answer

    def close(self) -> None:
        """See LoadedModel."""
        self._session.close()


_BY_CODE: dict[int, type[errors.RequestError]] = {
    kind.code: kind
    for kind in (
        errors.InvalidArgument,
        errors.DeadlineExceeded,
        errors.NotFound,
        errors.FailedPrecondition,
        errors.Unimplemented,
        errors.Internal,
        errors.Unavailable,
    )
}


def _translated(error: Exception) -> errors.RequestError:
    if isinstance(error, tf.errors.OpError):
        return _BY_CODE.get(error.error_code, errors.Unknown)(error.message[:500])
    return errors.InvalidArgument(str(error)[:500])
