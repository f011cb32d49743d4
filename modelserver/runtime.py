"""The seam between the server and what computes: a runtime loads a version, a loaded version answers requests."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

from modelserver.errors import StartupError
from modelserver.flags import Options
from modelserver.tensors import Array
from protos.stubs.tensorflow.core.protobuf.saved_model_pb2 import SavedModel


class LoadedModel(Protocol):
    """One version in memory. Nothing of it is read from the volume any more."""

    @property
    def hidden(self) -> frozenset[str]:
        """Return added signatures that this runtime cannot run: nobody is told of them, so nobody chooses them."""
        ...

    def run(
        self, signature: str, inputs: Mapping[str, Array], outputs: Sequence[str], timeout_seconds: float | None
    ) -> dict[str, Array]:
        """Compute `outputs` of a signature from `inputs`. Many threads may call this at the same time.

        Args:
            signature: a name in the model's SignatureDefs.
            inputs: one array per input of the signature, of its element type and a shape that it accepts.
            outputs: names of outputs of the signature.
            timeout_seconds: how long the caller can wait; None: for ever.

        Raises:
            RequestError: the model cannot compute that; the message is for the client.
        """
        ...

    def close(self) -> None:
        """Free the memory. Called once, when no `run` is under way."""
        ...


class Runtime(Protocol):
    """Makes loaded models out of SavedModel folders."""

    @property
    def name(self) -> str:
        """The name in metrics and logs."""
        ...

    def load(self, version_path: Path, model: SavedModel) -> LoadedModel:
        """Read a version completely and make it ready to answer.

        Args:
            version_path: the folder with saved_model.pb and variables.
            model: the saved_model.pb in that folder, already read.

        Raises:
            RequestError: it cannot be loaded; the message becomes the version's status.
        """
        ...


def create(options: Options) -> Runtime:
    """Make the runtime that --runtime names. Only its own library is imported.

    Raises:
        StartupError: the library is not installed.
    """
    try:
        if options.runtime == "tensorflow":
            from modelserver.tensorflow_runtime import TensorFlowRuntime

            return TensorFlowRuntime(options.threads, options.parallel_inferences)
        _keep_openvino_to_itself()
        from modelserver.openvino_runtime import OpenVinoRuntime

        return OpenVinoRuntime(options.threads, options.parallel_inferences)
    except ModuleNotFoundError as error:
        raise StartupError(
            f"command line: --runtime={options.runtime} needs the Python package '{error.name}', which is not "
            "installed here; install it, or name the other runtime"
        ) from error


def _keep_openvino_to_itself() -> None:
    """Keep OpenVINO's package from importing its conversion tools.

    They report their use to a server on the internet, from a process that they fork at import. None in their place
    makes that import fail, which the package allows for: a model server on a site tells nobody anything, and it starts
    0.15 s sooner.
    """
    sys.modules.setdefault("openvino.tools.ovc", cast("ModuleType", None))
