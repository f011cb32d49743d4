"""Prediction on arrays: what gRPC and REST share."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelserver.catalog import Catalog, Servable
from modelserver.errors import DeadlineExceeded, Unimplemented
from modelserver.metrics import Metrics
from modelserver.signature import check_inputs, find, outputs_wanted
from modelserver.tensors import Array
from protos.stubs.tensorflow_serving.apis.model_pb2 import ModelSpec


@dataclass(frozen=True)
class Prediction:
    """What was computed, and by which version."""

    spec: ModelSpec
    """With name, version and signature filled in."""

    outputs: dict[str, Array]


class Inference:
    """Finds the version, checks the request against the signature, runs it."""

    def __init__(self, catalog: Catalog, metrics: Metrics, runtime_name: str) -> None:
        """Work on the versions of `catalog`."""
        self.catalog = catalog
        self._metrics = metrics
        self._runtime_name = runtime_name

    def predict(
        self,
        spec: ModelSpec,
        inputs: Mapping[str, Array],
        output_filter: Sequence[str] = (),
        timeout_seconds: float | None = None,
    ) -> Prediction:
        """Answer one Predict.

        Raises:
            RequestError: it cannot be answered; code and text are for the client.
        """
        with self.catalog.borrow(spec) as servable:
            name, signature = find(servable.signatures, spec.signature_name)
            complete = check_inputs(signature, inputs)
            wanted = outputs_wanted(signature, output_filter)
            if not wanted:
                raise Unimplemented(f"Signature {name} has no outputs")
            outputs = self.run(servable, "Predict", name, complete, wanted, timeout_seconds)
        return Prediction(answered_by(servable, name), outputs)

    def run(
        self,
        servable: Servable,
        api: str,
        signature: str,
        inputs: Mapping[str, Array],
        outputs: Sequence[str],
        timeout_seconds: float | None,
    ) -> dict[str, Array]:
        """Run a borrowed version on checked inputs."""
        if timeout_seconds is not None and timeout_seconds <= 0:
            raise DeadlineExceeded("The deadline had passed before the inference began")
        started = time.perf_counter()
        answer = servable.model.run(signature, inputs, outputs, timeout_seconds)
        self._metrics.inference(servable.name, api, self._runtime_name, time.perf_counter() - started)
        return answer


def answered_by(servable: Servable, signature: str) -> ModelSpec:
    """Return the spec of an answer."""
    spec = ModelSpec(name=servable.name, signature_name=signature)
    spec.version.value = servable.version
    return spec
