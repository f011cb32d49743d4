"""Plain tensors as JSON, as one .npy file, or as the protobuf message of the TensorFlow Serving protocol."""

from __future__ import annotations

from proxy.outputs.answer import Answer
from proxy.outputs.answers import outputs_answer, tensors_answer
from proxy.outputs.media import Media
from proxy.outputs.npy import npy_answer
from proxy.outputs.open_inference import infer_answer
from proxy.outputs.result import OpenInferenceResult, TensorsResult
from proxy.outputs.style import Style
from proxy.wire.predictions import write_predict_response


def write_json(result: TensorsResult, style: Style) -> Answer:
    """Write tensors in the form of the request: rows, columns, or by name beside model and version.

    Raises:
        InvalidTensor: The row form, and outputs that differ in their number of rows.
    """
    prediction = result.prediction
    if result.form is None:
        return Answer(outputs_answer(style.model, prediction.version, prediction.outputs, style.decimals))
    return Answer(tensors_answer(prediction.outputs, result.form, style.decimals))


def write_file(result: TensorsResult, style: Style) -> Answer:
    """Write the one tensor of a prediction as a .npy file.

    Raises:
        InvalidTensor: There are several, or strings that the format does not hold.
    """
    del style
    return Answer(npy_answer(result.prediction.outputs), Media.NPY.value)


def write_protobuf(result: TensorsResult, style: Style) -> Answer:
    """Write a PredictResponse."""
    return Answer(write_predict_response(result.prediction, style.model), Media.PROTOBUF.value)


def write_open_inference(result: OpenInferenceResult, style: Style) -> Answer:
    """Write tensors by the Open Inference Protocol, each as its request wants it.

    Raises:
        InvalidTensor: See `infer_answer`.
    """
    return infer_answer(style.model, result.prediction, result.request, style.card.labels, style.decimals)
