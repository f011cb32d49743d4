"""OpenVINO: the light runtime. It reads SavedModels itself and computes in float32."""

from __future__ import annotations

import logging
import queue
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import openvino as ov

from modelserver.errors import DeadlineExceeded, FailedPrecondition, InvalidArgument, RequestError, Unimplemented
from modelserver.savedmodel import DEFAULT_SIGNATURE, INITIALISER, serving_graph, signatures, with_default
from modelserver.storage import GRAPH
from modelserver.tensors import Array
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from protos.stubs.tensorflow.core.protobuf.saved_model_pb2 import SavedModel

LOG = logging.getLogger(__name__)

_Compiler = Callable[[ov.Model], ov.CompiledModel]


class OpenVinoRuntime:
    """Loads versions with one shared OpenVINO core."""

    name = "openvino"

    def __init__(self, threads: int = 0, parallel_inferences: int = 0) -> None:
        """Prepare the core; 0 leaves a number to OpenVINO."""
        self._core = ov.Core()
        # A mapped file of weights would be read from the volume again whenever memory is short, long after loading:
        # a stalled or replaced file on NFS would then stop or kill the server.
        self._core.set_property({"ENABLE_MMAP": False})
        self._properties = _properties(threads, parallel_inferences)

    def load(self, version_path: Path, model: SavedModel) -> OpenVinoModel:
        """Read every signature that OpenVINO can convert; compile the default one."""
        graphs: dict[str, Signature] = {}
        reasons: dict[str, str] = {}
        for name, definition in _default_first(signatures(serving_graph(model))):
            try:
                graphs[name] = Signature(name, definition, self._read(version_path, model, name), self._compile)
            except RequestError as error:
                reasons[name] = error.message
        if not graphs:
            told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items()) or "it has none"
            raise Unimplemented(f"OpenVINO can serve no signature of {version_path}: {told}")
        for name, reason in reasons.items():
            LOG.warning("%s: signature %s is not served: %s", version_path, name, reason)
        # The first one is what most requests ask for. The others wait for their first request: each compiled
        # signature holds the weights once more.
        next(iter(graphs.values())).compile()
        return OpenVinoModel(graphs, reasons)

    def _read(self, version_path: Path, model: SavedModel, name: str) -> ov.Model:
        definition = serving_graph(model).signature_def[name]
        try:
            if name == DEFAULT_SIGNATURE and not _clashing(definition):
                return self._core.read_model(version_path)
            return self._read_as_default(version_path, with_default(model, name, _output_names(definition)))
        except RuntimeError as error:
            raise Unimplemented(_reason(error)) from error
        except OSError as error:
            raise Unimplemented(f"there is no temporary folder to write its graph to: {error}") from error

    def _read_as_default(self, version_path: Path, graph: bytes) -> ov.Model:
        """Read a signature by the one name that OpenVINO looks at: an edited graph beside the original weights."""
        with tempfile.TemporaryDirectory(prefix="modelserver-") as folder:
            (Path(folder) / GRAPH).write_bytes(graph)
            for part in ("variables", "assets"):
                if (version_path / part).exists():
                    (Path(folder) / part).symlink_to(version_path / part)
            return self._core.read_model(folder)

    def _compile(self, model: ov.Model) -> ov.CompiledModel:
        return self._core.compile_model(model, "CPU", self._properties)


class Signature:
    """One signature: read from the volume, compiled at its first use, with a pool of inference requests."""

    def __init__(self, name: str, definition: SignatureDef, model: ov.Model, compiler: _Compiler) -> None:
        """Check that the converted graph has what the signature promises.

        Raises:
            Unimplemented: the conversion lost an input or an output.
        """
        self._name = name
        self._model: ov.Model | None = model
        self._compiler = compiler
        self._lock = threading.Lock()
        self._idle: queue.SimpleQueue[ov.InferRequest] | None = None
        self._output_names = _output_names(definition)
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
            answer = request.infer(dict(inputs), share_inputs=True)
            return {name: answer[self._output_names[name]] for name in outputs}
        except RuntimeError as error:
            raise InvalidArgument(_reason(error)) from error
        finally:
            pool.put(request)


class OpenVinoModel:
    """A version: its signatures, and why others are not served."""

    def __init__(self, graphs: Mapping[str, Signature], reasons: Mapping[str, str]) -> None:
        """Take what was read."""
        self._signatures = dict(graphs)
        self._reasons = reasons

    def run(
        self, signature: str, inputs: Mapping[str, Array], outputs: Sequence[str], timeout_seconds: float | None
    ) -> dict[str, Array]:
        """See LoadedModel."""
        if signature in self._reasons:
            raise Unimplemented(f"OpenVINO cannot serve signature {signature}: {self._reasons[signature]}")
        if signature not in self._signatures:
            raise FailedPrecondition(f'Serving signature key "{signature}" not found.')
        return self._signatures[signature].run(inputs, outputs, timeout_seconds)

    def close(self) -> None:
        """See LoadedModel."""
        self._signatures.clear()


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


def _properties(threads: int, parallel_inferences: int) -> dict[str, object]:
    # OpenVINO's default precision is bf16 where the CPU has it: answers would differ from TensorFlow's by up to 0.09.
    properties: dict[str, object] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if threads:
        properties["INFERENCE_NUM_THREADS"] = threads
    if parallel_inferences:
        properties["NUM_STREAMS"] = parallel_inferences
    return properties


def _default_first(definitions: Mapping[str, SignatureDef]) -> list[tuple[str, SignatureDef]]:
    served = [(name, definition) for name, definition in definitions.items() if name != INITIALISER]
    return sorted(served, key=lambda item: (item[0] != DEFAULT_SIGNATURE, item[0]))


def _names(ports: Sequence[ov.Output]) -> set[str]:
    return {name for port in ports for name in port.get_names()}


def _clashing(definition: SignatureDef) -> set[str]:
    """Return the names that an input and an output share; OpenVINO would rename such outputs as it likes."""
    return set(definition.inputs) & set(definition.outputs)


def _output_names(definition: SignatureDef) -> dict[str, str]:
    """Return for each output the name that it has in OpenVINO."""
    clashing = _clashing(definition)
    return {name: f"{name}/output" if name in clashing else name for name in definition.outputs}


def _reason(error: RuntimeError) -> str:
    """Shorten OpenVINO's message: without the lines that name places in its source, and without its advice."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.startswith(("Exception from", "Check '", "To facilitate"))]
    return " ".join(said)[:500] or str(error)[:500]
