"""The task for JSON: tensors in the forms of TensorFlow Serving's REST API."""

from __future__ import annotations

from proxy.backend.call import PredictCall
from proxy.inputs.json_tensors import parse_tensor_request
from proxy.outputs.result import TensorsResult
from proxy.tasks.batched import batched_inputs
from proxy.tasks.task import PreparedTask, Subject
from proxy.tasks.text import prepare_texts, texts_of
from proxy.telemetry.stages import Stages
from proxy.wire.predictions import Prediction


def prepare_json(data: bytes, subject: Subject, stages: Stages) -> PreparedTask:
    """Prepare JSON tensors; the answer takes the form (row or column) of the request.

    Raises:
        InvalidJson: See `parse_tensor_request`.
        InvalidTensor: See `parse_tensor_request`.
    """
    if subject.card.document.text is not None and (texts := texts_of(data)) is not None:
        return prepare_texts(texts, subject, stages)
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
