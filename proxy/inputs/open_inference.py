"""Infer requests of the Open Inference Protocol (version 2), with its extension for binary tensors.

A request is a JSON object that describes the inputs. Their values stand in it, as flat or nested lists, or follow it
as bytes in the order of the inputs; the header Inference-Header-Content-Length then says how long the object is. The
protocol is https://github.com/kserve/open-inference-protocol, the extension is Triton's
(docs/protocol/extension_binary_data.md in its repository).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from numpy.typing import NDArray
from pydantic import Field, StrictBool, StrictInt, StrictStr

from proxy.backend.signatures import DEFAULT_SIGNATURE, ModelDescription, Signature
from proxy.errors import InvalidHeader, InvalidTensor
from proxy.inputs.binary_tensors import BinaryTensors
from proxy.inputs.json_document import read_document
from proxy.inputs.open_inference_tensors import read_input
from proxy.inputs.sections import Optional, Section, read_section

Array = NDArray[Any]

HEADER_LENGTH = "Inference-Header-Content-Length"

_FORM = 'Send {"inputs": [{"name": ..., "shape": [...], "datatype": ..., "data": [...]}]}'
_MOST_CLASSES = 100_000
_MOST_TENSORS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedOutput:
    """Say how one output is wanted."""

    binary: bool
    """As bytes behind the JSON object, and not in it."""
    classes: int = 0
    """How many of the highest values are wanted, with their places, instead of the values; 0 for the values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferRequest:
    """Hold the arrays of a request, and how its answer is wanted."""

    id: str | None
    signature: str
    arrays: Mapping[str, Array]
    outputs: Mapping[str, RequestedOutput] = field(default_factory=dict[str, RequestedOutput])
    """The outputs wanted, in their order; all of them when empty."""
    binary: bool = False
    """How outputs are wanted that the request does not name."""

    @property
    def output_filter(self) -> tuple[str, ...]:
        """Return the names of the wanted outputs; all of them when empty."""
        return tuple(self.outputs)


class _Parameters(Section):
    """What the parameters of a request may hold."""

    binary_data_output: StrictBool = False
    signature_name: StrictStr = DEFAULT_SIGNATURE


class _OutputParameters(Section):
    binary_data: StrictBool | None = None
    classification: Annotated[StrictInt, Field(ge=0, le=_MOST_CLASSES)] = 0
    shared_memory_region: StrictStr | None = None


class _Output(Section):
    name: StrictStr
    parameters: Optional[_OutputParameters] = _OutputParameters()


class _Request(Section):
    id: StrictStr | None = None
    parameters: Optional[_Parameters] = _Parameters()
    inputs: list[Any] = Field(min_length=1, max_length=_MOST_TENSORS)
    outputs: Annotated[list[_Output], Field(max_length=_MOST_TENSORS)] | None = None


def read_header_length(value: str | None, body_length: int) -> int:
    """Return how many bytes of the body are its JSON object.

    Args:
        value: The header Inference-Header-Content-Length; None where there is none: all bytes.
        body_length: Of the whole body.

    Raises:
        InvalidHeader: It is no number, or more than the body has.
    """
    if value is None:
        return body_length
    text = value.strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and 0 < int(text) <= body_length):
        raise InvalidHeader(
            where=f"header {HEADER_LENGTH}",
            found=repr(value[:80]),
            reason="It must be the length of the JSON object at the beginning of the body",
            remedy=f"Send a number from 1 to {body_length}, the body's length; leave it out without binary tensors",
        )
    return int(text)


def parse_infer_request(data: bytes, json_length: int, description: ModelDescription) -> InferRequest:
    """Parse the body of an infer request.

    Args:
        data: The body.
        json_length: How many bytes of it are the JSON object, see `read_header_length`.
        description: The model's signatures. The request may choose one by the parameter `signature_name`.

    Raises:
        InvalidJson: No JSON, or not of this form.
        InvalidTensor: Inputs or outputs that the model has not, or values of another type or shape.
    """
    binary = memoryview(data)[json_length:]
    return read_document(data[:json_length], _FORM, lambda document: _read(document, binary, description))


def _read(document: Any, binary: memoryview, description: ModelDescription) -> InferRequest:
    request = read_section(_Request, document, "JSON body", _FORM)
    signature = _signature(request.parameters.signature_name, description)
    return InferRequest(
        id=request.id,
        signature=signature.name,
        arrays=_arrays(request.inputs, binary, signature),
        outputs=_outputs(request, signature),
        binary=request.parameters.binary_data_output,
    )


def _signature(name: str, description: ModelDescription) -> Signature:
    if name not in description.signatures:
        raise InvalidTensor(
            where="JSON body > parameters > signature_name",
            found=repr(name[:80]),
            reason=f"The model has the signatures {', '.join(sorted(description.signatures)) or '(none)'}",
            remedy=f"Name one of them, or leave the parameter out for {DEFAULT_SIGNATURE}",
        )
    return description.signatures[name]


def _arrays(inputs: list[Any], binary: memoryview, signature: Signature) -> Mapping[str, Array]:
    tensors = BinaryTensors(binary)
    arrays: dict[str, Array] = {}
    for place, value in enumerate(inputs):
        name, array = read_input(value, f"JSON body > inputs > {place}", signature, tensors)
        if name in arrays:
            raise _invalid(f"inputs > {place}", f"the input {name!r} once more", "It has its values already")
        arrays[name] = array
    tensors.check_end()
    missing = sorted(signature.inputs.keys() - arrays.keys())
    if missing:
        reason = f"The signature {signature.name} takes {', '.join(repr(name) for name in sorted(signature.inputs))}"
        raise _invalid("inputs", f"no input {missing[0]!r}", reason)
    return arrays


def _outputs(request: _Request, signature: Signature) -> Mapping[str, RequestedOutput]:
    outputs: dict[str, RequestedOutput] = {}
    for place, output in enumerate(request.outputs or []):
        where = f"outputs > {place}"
        if output.name not in signature.outputs or output.name in outputs:
            found = f"the output {output.name[:80]!r}{' once more' if output.name in outputs else ''}"
            names = ", ".join(repr(name) for name in sorted(signature.outputs))
            raise _invalid(where, found, f"The signature {signature.name} gives {names or '(none)'}")
        if output.parameters.shared_memory_region is not None:
            raise _invalid(where, "a shared memory region", "The proxy has no memory in common with its clients")
        wanted = output.parameters.binary_data
        binary = request.parameters.binary_data_output if wanted is None else wanted
        outputs[output.name] = RequestedOutput(binary=binary, classes=output.parameters.classification)
    return outputs


def _invalid(where: str, found: str, reason: str) -> InvalidTensor:
    return InvalidTensor(f"JSON body > {where}", found, reason, "See the model's metadata for its inputs and outputs")
