"""Classify, Regress and MultiInference on borrowed versions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from modelserver.catalog import Servable
from modelserver.errors import FailedPrecondition, InvalidArgument, Unimplemented
from modelserver.examples import examples_of, inputs_from
from modelserver.inference import Inference, answered_by
from modelserver.savedmodel import DEFAULT_SIGNATURE
from modelserver.signature import check_inputs
from modelserver.tensors import DATA_TYPES, Array
from protos.stubs.tensorflow.core.framework import types_pb2 as types
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from protos.stubs.tensorflow_serving.apis.classification_pb2 import (
    ClassificationRequest,
    ClassificationResponse,
    ClassificationResult,
)
from protos.stubs.tensorflow_serving.apis.inference_pb2 import MultiInferenceRequest, MultiInferenceResponse
from protos.stubs.tensorflow_serving.apis.input_pb2 import Input
from protos.stubs.tensorflow_serving.apis.model_pb2 import ModelSpec
from protos.stubs.tensorflow_serving.apis.regression_pb2 import RegressionRequest, RegressionResponse, RegressionResult

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
_KINDS = {CLASSIFY: "classification", REGRESS: "regression"}


class Classification:
    """Answers the calls whose input is a list of Examples."""

    def __init__(self, inference: Inference) -> None:
        """Run on the versions that `inference` knows."""
        self._inference = inference

    def classify(self, request: ClassificationRequest, timeout_seconds: float | None) -> ClassificationResponse:
        """Answer one Classify. Raises RequestError."""
        response = ClassificationResponse()
        with self._inference.catalog.borrow(request.model_spec) as servable:
            name = request.model_spec.signature_name or DEFAULT_SIGNATURE
            result = self._classify(servable, name, request.input, timeout_seconds)
        response.result.CopyFrom(result)
        response.model_spec.CopyFrom(answered_by(servable, name))
        return response

    def regress(self, request: RegressionRequest, timeout_seconds: float | None) -> RegressionResponse:
        """Answer one Regress. Raises RequestError."""
        response = RegressionResponse()
        with self._inference.catalog.borrow(request.model_spec) as servable:
            name = request.model_spec.signature_name or DEFAULT_SIGNATURE
            result = self._regress(servable, name, request.input, timeout_seconds)
        response.result.CopyFrom(result)
        response.model_spec.CopyFrom(answered_by(servable, name))
        return response

    def multi_inference(self, request: MultiInferenceRequest, timeout_seconds: float | None) -> MultiInferenceResponse:
        """Answer one MultiInference, task by task on one version. Raises RequestError."""
        response = MultiInferenceResponse()
        with self._inference.catalog.borrow(_common_spec(request)) as servable:
            for task in request.tasks:
                name = task.model_spec.signature_name or DEFAULT_SIGNATURE
                result = response.results.add()
                result.model_spec.CopyFrom(answered_by(servable, name))
                if task.method_name == CLASSIFY:
                    classes = self._classify(servable, name, request.input, timeout_seconds)
                    result.classification_result.CopyFrom(classes)
                elif task.method_name == REGRESS:
                    numbers = self._regress(servable, name, request.input, timeout_seconds)
                    result.regression_result.CopyFrom(numbers)
                else:
                    raise Unimplemented(f"Unsupported signature method_name: {task.method_name}")
        return response

    def _classify(
        self, servable: Servable, name: str, message: Input, timeout_seconds: float | None
    ) -> ClassificationResult:
        signature = _signature(servable.signatures, name, CLASSIFY)
        wanted = [output for output in ("classes", "scores") if output in signature.outputs]
        if not wanted:
            raise FailedPrecondition(
                'Expected classification signature outputs to contain at least one of "classes" or "scores". '
                f"It has {sorted(signature.outputs)}"
            )
        count, outputs = self._run(servable, "Classify", name, message, wanted, timeout_seconds)
        _check_output(outputs.get("classes"), "classes", types.DT_STRING, count)
        _check_output(outputs.get("scores"), "scores", types.DT_FLOAT, count)
        return _classes(outputs, count)

    def _regress(
        self, servable: Servable, name: str, message: Input, timeout_seconds: float | None
    ) -> RegressionResult:
        signature = _signature(servable.signatures, name, REGRESS)
        if "outputs" not in signature.outputs:
            raise FailedPrecondition(
                f"No regression outputs found in SignatureDef: it has {sorted(signature.outputs)} and not 'outputs'"
            )
        count, outputs = self._run(servable, "Regress", name, message, ["outputs"], timeout_seconds)
        values = outputs["outputs"]
        if values.shape not in ((count,), (count, 1)):
            raise InvalidArgument(
                "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] "
                f"but got {list(values.shape)}"
            )
        result = RegressionResult()
        for value in values.reshape(-1).tolist():
            result.regressions.add(value=value)
        return result

    def _run(
        self,
        servable: Servable,
        api: str,
        name: str,
        message: Input,
        outputs: list[str],
        timeout_seconds: float | None,
    ) -> tuple[int, dict[str, Array]]:
        signature = servable.signatures[name]
        examples = examples_of(message)
        inputs = check_inputs(signature, inputs_from(examples, signature))
        return len(examples), self._inference.run(servable, api, name, inputs, outputs, timeout_seconds)


def _signature(signatures: Mapping[str, SignatureDef], name: str, method: str) -> SignatureDef:
    if name not in signatures:
        raise InvalidArgument(f"No signature was found with the name: {name}")
    if signatures[name].method_name != method:
        raise InvalidArgument(
            f"Expected {_KINDS[method]} signature method_name to be {method}. Was: {signatures[name].method_name}"
        )
    return signatures[name]


def _common_spec(request: MultiInferenceRequest) -> ModelSpec:
    """Return the spec of the one model that all tasks are for."""
    specs = [task.model_spec for task in request.tasks]
    if not specs or not all(spec.name for spec in specs):
        raise InvalidArgument("Found ModelSpec with an empty model name.")
    if len({spec.name for spec in specs}) > 1:
        raise InvalidArgument("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
    names = [spec.signature_name or DEFAULT_SIGNATURE for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise InvalidArgument(f"Duplicate evaluation of signature: {name}")
    return specs[0]


def _check_output(array: Array | None, name: str, data_type: types.DataType, count: int) -> None:
    if array is None:
        return
    if array.ndim != 2:
        raise InvalidArgument(f"Expected Tensor shape: [batch_size num_classes] but got {list(array.shape)}")
    actual = types.DT_STRING if array.dtype.kind in "OSU" else DATA_TYPES.get(array.dtype, types.DT_INVALID)
    if actual != data_type:
        expected = types.DataType.Name(data_type)
        raise InvalidArgument(f"Expected {name} Tensor of {expected}. Got: {types.DataType.Name(actual)}")
    if array.shape[0] != count:
        raise InvalidArgument(f"Expected {name} output batch size of {count}. Got: {array.shape[0]}")


def _classes(outputs: Mapping[str, Array], count: int) -> ClassificationResult:
    labels, scores = outputs.get("classes"), outputs.get("scores")
    if labels is not None and scores is not None and labels.shape != scores.shape:
        raise InvalidArgument(
            f"Tensors class and score should match in dim_size(1). Got {labels.shape[1]} vs. {scores.shape[1]}"
        )
    result = ClassificationResult()
    for row in range(count):
        classifications = result.classifications.add()
        texts = labels[row].tolist() if labels is not None else None
        numbers = np.asarray(scores[row]).tolist() if scores is not None else None
        for index in range(len(texts if texts is not None else numbers or [])):
            label = _text(texts[index]) if texts is not None else ""
            classifications.classes.add(label=label, score=numbers[index] if numbers is not None else 0.0)
    return result


def _text(label: object) -> str:
    return label.decode(errors="replace") if isinstance(label, bytes) else str(label)
