"""OpenVINO: the light runtime. It reads SavedModels itself and computes in float32."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13

from modelserver.errors import FailedPrecondition, RequestError, Unimplemented
from modelserver.jpeg_step import JpegStep, fit_of
from modelserver.openvino_resize import resizer
from modelserver.openvino_signature import Signature, clashing, output_names, reason_of
from modelserver.savedmodel import DEFAULT_SIGNATURE, INITIALISER, read, serving_graph, signatures, with_default
from modelserver.steps import EXTRAS, Chain, Runs, Step, read_steps
from modelserver.storage import GRAPH
from modelserver.tensors import Array
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from protos.stubs.tensorflow.core.protobuf.saved_model_pb2 import SavedModel

LOG = logging.getLogger(__name__)


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
        self._infer_once()

    def load(self, version_path: Path, model: SavedModel) -> OpenVinoModel:
        """Read every signature that OpenVINO can convert; compile the default one."""
        steps = read_steps(version_path)
        graphs, reasons = self._graphs(version_path, model, set(steps))
        if not graphs:
            told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items()) or "it has none"
            raise Unimplemented(f"OpenVINO can serve no signature of {version_path}: {told}")
        chains, lost = self._chains(version_path, steps, graphs)
        for name, reason in (reasons | lost).items():
            LOG.warning("%s: signature %s is not served: %s", version_path, name, reason)
        # The first one is what most requests ask for. The others wait for their first request: each compiled
        # signature holds the weights once more.
        next(iter(graphs.values())).compile()
        return OpenVinoModel(graphs | chains, reasons, frozenset(lost))

    def _graphs(
        self, version_path: Path, model: SavedModel, in_steps: set[str]
    ) -> tuple[dict[str, Signature], dict[str, str]]:
        """Read the signatures that are not run in steps; return them, and why others cannot be read."""
        graphs: dict[str, Signature] = {}
        reasons: dict[str, str] = {}
        for name, definition in _default_first(signatures(serving_graph(model))):
            if name in in_steps:
                continue
            try:
                graphs[name] = Signature(name, definition, self._read(version_path, model, name), self._compile)
            except RequestError as error:
                reasons[name] = error.message
        return graphs, reasons

    def _chains(
        self, version_path: Path, steps: Mapping[str, Sequence[Step]], graphs: Mapping[str, Signature]
    ) -> tuple[dict[str, Chain], dict[str, str]]:
        """Put signatures together out of their steps; return them, and why others cannot be had."""
        chains: dict[str, Chain] = {}
        reasons: dict[str, str] = {}
        small: dict[str, Signature] = {}
        for name, of_signature in steps.items():
            try:
                chains[name] = Chain([(step, self._runs(version_path, step, graphs, small)) for step in of_signature])
            except RequestError as error:
                reasons[name] = error.message
        return chains, reasons

    def _runs(
        self, version_path: Path, step: Step, graphs: Mapping[str, Signature], small: dict[str, Signature]
    ) -> Runs:
        """Return what runs a step. A small graph that several signatures share is read once."""
        if step.decode is not None:
            fit = fit_of(step.decode)
            return JpegStep(fit, resizer(fit.interpolation, self._compile))
        if not step.graph:
            if step.signature not in graphs:
                raise Unimplemented(f"it needs the signature {step.signature}, which is not served")
            return graphs[step.signature]
        if step.graph not in small:
            folder = version_path / EXTRAS / step.graph
            model = read(folder)
            definition = signatures(serving_graph(model))[DEFAULT_SIGNATURE]
            graph = self._read(folder, model, DEFAULT_SIGNATURE)
            small[step.graph] = Signature(step.graph, definition, graph, self._compile)
        return small[step.graph]

    def _read(self, version_path: Path, model: SavedModel, name: str) -> ov.Model:
        definition = serving_graph(model).signature_def[name]
        try:
            if name == DEFAULT_SIGNATURE and not clashing(definition):
                return self._core.read_model(version_path)
            return self._read_as_default(version_path, with_default(model, name, output_names(definition)))
        except RuntimeError as error:
            raise Unimplemented(reason_of(error)) from error
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

    def _infer_once(self) -> None:
        """Let OpenVINO's package make its tables of number types before there are threads.

        It makes them in the first inference. Where two threads come first, one has a table's lock and waits for
        Python's, the other has Python's and waits for the table's, and the whole process stands still for ever
        (seen with 2026.4.1).
        """
        value = opset13.parameter([1], np.float32)
        request = self._compile(ov.Model([opset13.relu(value)], [value])).create_infer_request()
        request.infer([np.zeros(1, np.float32)], share_inputs=True)


class OpenVinoModel:
    """A version: its signatures, and why others are not served."""

    def __init__(self, graphs: Mapping[str, Runs], reasons: Mapping[str, str], hidden: frozenset[str]) -> None:
        """Take what was read."""
        self.hidden = hidden
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
