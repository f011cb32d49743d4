"""The task for .npy files: one tensor in a body, or one for each input in a form."""

from __future__ import annotations

from collections.abc import Mapping

from proxy.backend.call import PredictCall
from proxy.backend.signatures import DEFAULT_SIGNATURE, Signature
from proxy.errors import InvalidQuery
from proxy.inputs.npy import read_npy_inputs
from proxy.outputs.result import TensorsResult
from proxy.tasks.batched import batched_inputs
from proxy.tasks.task import PreparedTask, Subject
from proxy.telemetry.stages import Stages
from proxy.wire.predictions import Prediction

MAGIC = b"\x93NUMPY"


def prepare_npy_task(data: bytes, subject: Subject, stages: Stages) -> PreparedTask:
    """Prepare the one tensor of a body.

    Raises:
        InvalidTensor: See `read_npy_inputs`.
        InvalidQuery: The request names a signature that the model has not.
    """
    return prepare_npy_files({"": data}, subject, stages)


def prepare_npy_files(files: Mapping[str, bytes], subject: Subject, stages: Stages) -> PreparedTask:
    """Prepare one tensor for each input, by the input's name.

    Raises:
        InvalidTensor: See `read_npy_inputs`.
        InvalidQuery: The request names a signature that the model has not.
    """
    signature = _signature(subject)
    with stages.time("decode"):
        arrays = read_npy_inputs(files, signature)
    call = PredictCall(
        signature=signature.name,
        arrays=arrays,
        selector=subject.selector,
        output_filter=subject.options.output_filter,
        batched=batched_inputs(signature),
    )
    return PreparedTask(call=call, interpret=_interpret, kind=TensorsResult)


def _interpret(prediction: Prediction) -> TensorsResult:
    return TensorsResult(prediction=prediction)


def _signature(subject: Subject) -> Signature:
    name = subject.options.signature_name or DEFAULT_SIGNATURE
    signatures = subject.description.signatures
    if name not in signatures:
        raise InvalidQuery(
            where="query > signature_name",
            found=repr(name[:80]),
            reason=f"The model has the signatures {', '.join(sorted(signatures)) or '(none)'}",
            remedy="Name one of them, or leave it out for serving_default",
        )
    return signatures[name]
