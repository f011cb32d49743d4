"""The task for the Open Inference Protocol: tensors in JSON or behind it, in and out."""

from __future__ import annotations

from functools import partial

from proxy.backend.call import PredictCall
from proxy.inputs.open_inference import parse_infer_request, read_header_length
from proxy.outputs.result import OpenInferenceResult
from proxy.tasks.batched import batched_inputs
from proxy.tasks.task import PreparedTask, Subject, Task
from proxy.telemetry.stages import Stages
from proxy.wire.predictions import Prediction


def open_inference_task(data: bytes, header_length: str | None) -> Task:
    """Return the task for a body.

    Args:
        data: The body.
        header_length: The header Inference-Header-Content-Length; None where there is none.

    Raises:
        InvalidHeader: See `read_header_length`.
    """
    return partial(_prepare, data, read_header_length(header_length, len(data)))


def _prepare(data: bytes, json_length: int, subject: Subject, stages: Stages) -> PreparedTask:
    with stages.time("decode"):
        request = parse_infer_request(data, json_length, subject.description)

    def interpret(prediction: Prediction) -> OpenInferenceResult:
        return OpenInferenceResult(prediction=prediction, request=request)

    call = PredictCall(
        signature=request.signature,
        arrays=request.arrays,
        selector=subject.selector,
        output_filter=request.output_filter,
        batched=batched_inputs(subject.description.signatures[request.signature]),
    )
    return PreparedTask(call=call, interpret=interpret, kind=OpenInferenceResult)
