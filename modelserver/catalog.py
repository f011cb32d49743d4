"""The versions that there are, and what state each is in.

Requests borrow a version here; watchers put versions in and take them out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelserver.errors import InvalidArgument, NotFound, RequestError
from modelserver.runtime import LoadedModel
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from protos.stubs.tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus
from protos.stubs.tensorflow_serving.apis.model_pb2 import ModelSpec

State = ModelVersionStatus.State


class Servable:
    """A version that is loaded. It is closed when it was withdrawn and the last request that uses it has ended."""

    def __init__(
        self, name: str, version: int, path: Path, model: LoadedModel, signatures: Mapping[str, SignatureDef]
    ) -> None:
        """Take over a loaded model."""
        self.name = name
        self.version = version
        self.path = path
        self.model = model
        self.signatures = signatures
        self.uses = 0
        self.withdrawn = False


@dataclass(frozen=True)
class VersionStatus:
    """What GetModelStatus tells about one version."""

    version: int
    state: State
    error: RequestError | None = None


class Catalog:
    """Thread-safe. No method waits for anything but the lock, which is held for dictionary look-ups only."""

    def __init__(self) -> None:
        """Start empty."""
        self._changed = threading.Condition()
        self._servables: dict[str, dict[int, Servable]] = {}
        self._statuses: dict[str, dict[int, VersionStatus]] = {}
        self._labels: dict[str, dict[str, int]] = {}

    def set_labels(self, labels: Mapping[str, Mapping[str, int]]) -> None:
        """Replace the labels of all models."""
        with self._changed:
            self._labels = {name: dict(of_model) for name, of_model in labels.items()}

    def labels(self, name: str) -> dict[str, int]:
        """Return version by label."""
        with self._changed:
            return dict(self._labels.get(name, {}))

    def knows(self, name: str) -> bool:
        """Tell whether a model of this name was ever configured and found."""
        with self._changed:
            return name in self._statuses

    def record(self, name: str, version: int, state: State, error: RequestError | None = None) -> None:
        """Set the state of a version."""
        with self._changed:
            self._statuses.setdefault(name, {})[version] = VersionStatus(version, state, error)
            self._changed.notify_all()

    def announce(self, name: str, versions: Iterable[int]) -> None:
        """Make versions known that are going to be loaded, so that whoever asks sees what is still to come."""
        with self._changed:
            known = self._statuses.setdefault(name, {})
            for version in versions:
                known.setdefault(version, VersionStatus(version, State.START))

    def publish(self, servable: Servable) -> None:
        """Let requests use a version; one of the same number is withdrawn."""
        with self._changed:
            versions = self._servables.setdefault(servable.name, {})
            replaced = versions.get(servable.version)
            versions[servable.version] = servable
            self._set(servable, State.AVAILABLE)
        if replaced is not None:
            self._retire(replaced)

    def withdraw(self, name: str, version: int) -> None:
        """Let no new request use a version. Requests that use it end undisturbed; then it is closed."""
        with self._changed:
            servable = self._servables[name].pop(version)
            self._set(servable, State.UNLOADING)
        self._retire(servable)

    def loaded(self, name: str) -> dict[int, Path]:
        """Return the folders of the versions that requests may use."""
        with self._changed:
            return {version: servable.path for version, servable in self._servables.get(name, {}).items()}

    @contextmanager
    def borrow(self, spec: ModelSpec) -> Generator[Servable, None, None]:
        """Give the version that a request asks for, and keep it loaded as long as the request uses it.

        Raises:
            InvalidArgument: no name, or a label that is not known.
            NotFound: no such model or version is available.
        """
        with self._changed:
            servable = self._find(spec)
            servable.uses += 1
        try:
            yield servable
        finally:
            with self._changed:
                servable.uses -= 1
            self._close_if_unused(servable)

    def statuses(self, spec: ModelSpec) -> list[VersionStatus]:
        """Return the state of the version that `spec` names, or of all, largest version first.

        Raises:
            InvalidArgument: a label that is not known.
            NotFound: nothing is known of the model or the version.
        """
        with self._changed:
            known = self._statuses.get(spec.name, {})
            version = self._version(spec)
            if version is None:
                if not known:
                    raise NotFound(f"Could not find any versions of model {spec.name}")
                return [known[number] for number in sorted(known, reverse=True)]
            if version not in known:
                raise NotFound(f"Could not find version {version} of model {spec.name}")
            return [known[version]]

    def all_statuses(self) -> dict[str, list[VersionStatus]]:
        """Return the state of every version of every model."""
        with self._changed:
            return {name: list(versions.values()) for name, versions in self._statuses.items()}

    def wait_for(self, condition: Callable[[], bool], timeout_seconds: float) -> bool:
        """Wait until `condition` holds after some change. Returns whether it does."""
        with self._changed:
            return self._changed.wait_for(condition, timeout_seconds)

    def notify(self) -> None:
        """Let those who wait look again."""
        with self._changed:
            self._changed.notify_all()

    def _find(self, spec: ModelSpec) -> Servable:
        if not spec.name:
            raise InvalidArgument("ModelSpec has no name specified.")
        versions = self._servables.get(spec.name, {})
        version = self._version(spec)
        if version is None:
            if not versions:
                raise NotFound(f"Servable not found for request: Latest({spec.name})")
            return versions[max(versions)]
        if version not in versions:
            raise NotFound(f"Servable not found for request: Specific({spec.name}, {version})")
        return versions[version]

    def _version(self, spec: ModelSpec) -> int | None:
        """Return the version that is asked for; None: the latest."""
        match spec.WhichOneof("version_choice"):
            case "version":
                return spec.version.value
            case "version_label":
                version = self._labels.get(spec.name, {}).get(spec.version_label)
                if version is None:
                    raise InvalidArgument(f"Unrecognized servable version label: {spec.version_label}")
                return version
            case _:
                return None

    def _set(self, servable: Servable, state: State) -> None:
        self._statuses.setdefault(servable.name, {})[servable.version] = VersionStatus(servable.version, state)
        self._changed.notify_all()

    def _retire(self, servable: Servable) -> None:
        with self._changed:
            servable.withdrawn = True
        self._close_if_unused(servable)

    def _close_if_unused(self, servable: Servable) -> None:
        with self._changed:
            if not servable.withdrawn or servable.uses > 0:
                return
            # Only one of the threads that see it unused may close it.
            servable.withdrawn = False
        servable.model.close()
        with self._changed:
            if self._statuses[servable.name][servable.version].state == State.UNLOADING:
                self._set(servable, State.END)
