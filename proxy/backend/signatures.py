"""Signatures: what a model takes and gives, as its server describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from protos.stubs.tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto
from protos.stubs.tensorflow.core.framework.types_pb2 import DataType
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo
from protos.stubs.tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataResponse, SignatureDefMap
from proxy.errors import AnswerInvalid

DEFAULT_SIGNATURE = "serving_default"
SIGNATURE_FIELD = "signature_def"

Shape = tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """Describe one input or output."""

    name: str
    data_type: DataType
    shape: Shape | None
    """None for a free size; None as a whole for any number of dimensions."""

    def takes_shape(self, shape: tuple[int, ...]) -> bool:
        """Say whether an array of `shape` fits."""
        if self.shape is None:
            return True
        return len(shape) == len(self.shape) and all(
            wanted in (None, size) for wanted, size in zip(self.shape, shape, strict=True)
        )

    @property
    def shape_text(self) -> str:
        """Return the shape as people write it, `?` for a free size."""
        if self.shape is None:
            return "any shape"
        return f"[{', '.join('?' if size is None else str(size) for size in self.shape)}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Describe one way to call a model."""

    name: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDescription:
    """Describe one version of a model."""

    version: int
    signatures: Mapping[str, Signature]


def read_description(response: GetModelMetadataResponse) -> ModelDescription:
    """Read the signatures out of a GetModelMetadata answer.

    Raises:
        AnswerInvalid: The answer has none.
    """
    definitions = unpack_signatures(response)
    return ModelDescription(
        version=response.model_spec.version.value,
        signatures={name: _signature(name, definition) for name, definition in definitions.signature_def.items()},
    )


def unpack_signatures(response: GetModelMetadataResponse) -> SignatureDefMap:
    """Unpack the map of signatures that the answer carries as an Any.

    Raises:
        AnswerInvalid: The answer has none.
    """
    definitions = SignatureDefMap()
    if SIGNATURE_FIELD not in response.metadata or not response.metadata[SIGNATURE_FIELD].Unpack(definitions):
        raise AnswerInvalid(
            where="answer of the model server > metadata",
            found=f"no {SIGNATURE_FIELD}",
            reason="Without it the names, shapes and types of the model's inputs are unknown",
            remedy="Check that the target speaks the TensorFlow Serving protocol",
        )
    return definitions


def _signature(name: str, definition: SignatureDef) -> Signature:
    return Signature(
        name=name,
        inputs={key: _tensor_spec(key, info) for key, info in definition.inputs.items()},
        outputs={key: _tensor_spec(key, info) for key, info in definition.outputs.items()},
    )


def _tensor_spec(name: str, info: TensorInfo) -> TensorSpec:
    return TensorSpec(name=name, data_type=info.dtype, shape=_shape(info.tensor_shape))


def _shape(shape: TensorShapeProto) -> Shape | None:
    return None if shape.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in shape.dim)
