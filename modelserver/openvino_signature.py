"""One signature in OpenVINO: a graph that is read, compiled at its first use, and run by a pool of requests."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import openvino as ov

from modelserver.errors import DeadlineExceeded, InvalidArgument, Unimplemented
from modelserver.tensors import Array
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

Compiler = Callable[[ov.Model], ov.CompiledModel]


class Signature:
    """One signature: read from the volume, compiled at its first use, with a pool of inference requests."""

    def __init__(self, name: str, definition: SignatureDef, model: ov.Model, compiler: Compiler) -> None:
        """Check that the converted graph has what the signature promises.

        Raises:
            Unimplemented: the conversion lost an input or an output.
        """
        self._name = name
        self._model: ov.Model | None = model
        self._compiler = compiler
        self._lock = threading.Lock()
        self._idle: queue.SimpleQueue[ov.InferRequest] | None = None
        self._output_names = output_names(definition)
        lost = set(definition.inputs) - _names(model.inputs)
        lost |= set(self._output_names.values()) - _names(model.outputs)
        if lost:
            raise Unimplemented(f"OpenVINO's conversion of signature {name} lost {sorted(lost)}")

    def compile(self) -> queue.SimpleQueue[ov.InferRequest]:
        """Return the pool of idle inference requests; compile before, unless done."""
        with self._lock:
            if self._idle is None:
                assert self._model is not None
                compiled = self._compiler(self._model)
                self._model = None
                pool: queue.SimpleQueue[ov.InferRequest] = queue.SimpleQueue()
                for _ in range(max(1, compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))):
                    pool.put(compiled.create_infer_request())
                self._idle = pool
            return self._idle

    def run(
        self, inputs: Mapping[str, Array], outputs: Sequence[str], timeout_seconds: float | None
    ) -> dict[str, Array]:
        """Wait for an idle inference request and use it."""
        for name, array in inputs.items():
            _check_range(name, array)
        pool = self.compile()
        try:
            request = pool.get(timeout=timeout_seconds)
        except queue.Empty:
            raise DeadlineExceeded(f"No inference of signature {self._name} came free in time") from None
        try:
            # A scalar is copied: OpenVINO's package does not take one over memory that it may not write to.
            given = {name: array if array.ndim else array.copy() for name, array in inputs.items()}
            answer = request.infer(given, share_inputs=True)
            return {name: answer[self._output_names[name]] for name in outputs}
        except RuntimeError as error:
            raise InvalidArgument(reason_of(error)) from error
        finally:
            pool.put(request)


def _check_range(name: str, array: Array) -> None:
    """Refuse integers that do not fit 32 bits: OpenVINO computes with no more on a CPU, and wraps without a word."""
    if array.dtype.kind in "iu" and array.dtype.itemsize > 4 and array.size:
        limits = np.iinfo(np.int32)
        low, high = array.min(), array.max()
        if low < limits.min or high > limits.max:
            raise InvalidArgument(
                f"Input {name} holds {low if low < limits.min else high}, and OpenVINO computes with 32-bit integers; "
                "serve this model with --runtime=tensorflow"
            )


def _names(ports: Sequence[ov.Output]) -> set[str]:
    return {name for port in ports for name in port.get_names()}


def clashing(definition: SignatureDef) -> set[str]:
    """Return the names that an input and an output share; OpenVINO would rename such outputs as it likes."""
    return set(definition.inputs) & set(definition.outputs)


def output_names(definition: SignatureDef) -> dict[str, str]:
    """Return for each output the name that it has in OpenVINO."""
    both = clashing(definition)
    return {name: f"{name}/output" if name in both else name for name in definition.outputs}


def reason_of(error: RuntimeError) -> str:
    """Shorten OpenVINO's message: without the lines that name places in its source, and without its advice."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.startswith(("Exception from", "Check '", "To facilitate"))]
    return " ".join(said)[:500] or str(error)[:500]
