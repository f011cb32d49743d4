"""The task for JSON: tensors in the forms of TensorFlow Serving's REST API."""

from __future__ import annotations

from proxy.backend.call import PredictCall
from proxy.backend.signatures import Signature
from proxy.inputs.json_tensors import parse_tensor_request
from proxy.outputs.result import TensorsResult
from proxy.tasks.task import PreparedTask, Subject
from proxy.telemetry.stages import Stages
from proxy.wire.predictions import Prediction


def prepare_json(data: bytes, subject: Subject, stages: Stages) -> PreparedTask:
    """Prepare JSON tensors; the answer takes the form (row or column) of the request.

    Raises:
        InvalidJson: See `parse_tensor_request`.
        InvalidTensor: See `parse_tensor_request`.
    """
    with stages.time("decode"):
        request = parse_tensor_request(data, subject.description)

    def interpret(prediction: Prediction) -> TensorsResult:
        return TensorsResult(prediction=prediction, form=request.form)

    call = PredictCall(
        signature=request.signature,
        arrays=request.arrays,
        selector=subject.selector,
        output_filter=subject.options.output_filter,
        batched=batched_inputs(subject.description.signatures[request.signature]),
    )
    return PreparedTask(call=call, interpret=interpret, kind=TensorsResult)


def batched_inputs(signature: Signature) -> frozenset[str]:
    """Return the inputs along whose first dimension calls may be joined: all of them, or none.

    A free first dimension of every input and output is what a model that counts examples there looks like.
    """
    tensors = [*signature.inputs.values(), *signature.outputs.values()]
    joins = bool(signature.outputs) and all(tensor.shape and tensor.shape[0] is None for tensor in tensors)
    return frozenset(signature.inputs) if joins else frozenset()
