"""The configured models: applies a configuration, and keeps one watcher per model."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from modelserver.catalog import Catalog, State
from modelserver.configuration import ModelSettings, models
from modelserver.errors import DeadlineExceeded, FailedPrecondition, Unknown
from modelserver.metrics import Metrics
from modelserver.runtime import Runtime
from modelserver.watcher import Pace, Watcher
from protos.stubs.tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

LOG = logging.getLogger(__name__)


class Serving:
    """What the server serves. One configuration at a time is applied."""

    def __init__(
        self, catalog: Catalog, runtime: Runtime, metrics: Metrics, pace: Pace, *, labels_may_lead: bool = False
    ) -> None:
        """Start with no model."""
        self._catalog = catalog
        self._runtime = runtime
        self._metrics = metrics
        self._pace = pace
        self._labels_may_lead = labels_may_lead
        self._watchers: dict[str, Watcher] = {}
        self._configured = False
        self._lock = threading.Lock()

    def start(self, config: ModelServerConfig) -> None:
        """Apply the first configuration. Loading goes on in the background.

        Raises:
            RequestError: the configuration is wrong.
        """
        with self._lock:
            self._apply(models(config))

    def reload(self, config: ModelServerConfig, timeout_seconds: float | None) -> None:
        """Replace the configuration, and wait until every new model is available.

        Args:
            config: the whole new configuration.
            timeout_seconds: how long to wait for new models; None: not at all.

        Raises:
            RequestError: the configuration is wrong, and nothing was changed; or a new model could not be loaded.
        """
        settings = models(config)
        with self._lock:
            self._check_labels(settings)
            new = [model.name for model in settings if model.name not in self._watchers]
            self._apply(settings)
            watchers = [self._watchers[name] for name in new]
        if timeout_seconds is not None:
            self._wait_for(watchers, timeout_seconds)

    def ready(self) -> bool:
        """Tell whether every configured model has a version that answers."""
        names = list(self._watchers)
        return self._configured and all(self._catalog.loaded(name) for name in names)

    def stop(self) -> None:
        """Load nothing more."""
        with self._lock:
            for watcher in self._watchers.values():
                watcher.stop()

    def _apply(self, settings: Sequence[ModelSettings]) -> None:
        self._catalog.set_labels({model.name: model.labels for model in settings})
        for name in self._watchers.keys() - {model.name for model in settings}:
            self._remove(name)
        for model in settings:
            watcher = self._watchers.get(model.name)
            if watcher is None:
                self._add(model)
            elif watcher.settings != model:
                watcher.update(model)
        self._configured = True

    def _add(self, model: ModelSettings) -> None:
        LOG.info("model %s: watching %s", model.name, model.base_path)
        watcher = Watcher(model, self._catalog, self._runtime, self._metrics, self._pace)
        self._watchers[model.name] = watcher
        watcher.start()

    def _remove(self, name: str) -> None:
        LOG.info("model %s: no longer configured", name)
        self._watchers.pop(name).stop()
        for version in self._catalog.loaded(name):
            self._catalog.withdraw(name, version)

    def _check_labels(self, settings: Sequence[ModelSettings]) -> None:
        """Refuse labels of versions that do not answer, so that a label never leads into nothing."""
        for model in settings:
            present = self._catalog.labels(model.name)
            available = self._catalog.loaded(model.name)
            for label, version in model.labels.items():
                is_new = present.get(label, version) == version
                if version not in available and not (self._labels_may_lead and is_new):
                    raise FailedPrecondition(
                        f"Request to assign label to version {version} of model {model.name}, "
                        "which is not currently available for inference"
                    )

    def _wait_for(self, watchers: Sequence[Watcher], timeout_seconds: float) -> None:
        names = [watcher.settings.name for watcher in watchers]
        if not self._catalog.wait_for(
            lambda: all(watcher.looked.is_set() or self._catalog.loaded(watcher.settings.name) for watcher in watchers),
            timeout_seconds,
        ):
            raise DeadlineExceeded(f"Timed out waiting for models to become available: {', '.join(names)}")
        missing = [name for name in names if not self._catalog.loaded(name)]
        if missing:
            reasons = "".join(f"{{{self._reason(name)}}}, " for name in missing)
            raise Unknown(f"{len(missing)} model(s) did not become available: {{{reasons}}}")

    def _reason(self, name: str) -> str:
        for status in self._catalog.all_statuses().get(name, []):
            if status.state == State.END and status.error is not None:
                return f"{{name: {name} version: {status.version}}} due to error: {status.error.message}"
        return f"{{name: {name}}} has no version folder"
