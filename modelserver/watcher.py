"""One thread per model: it lists the version folders, loads what should be served and withdraws the rest.

A volume that hangs stops this thread and no other: what is loaded goes on being served, and so do other models.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from modelserver.catalog import Catalog, Servable, State
from modelserver.configuration import ModelSettings
from modelserver.errors import Internal, RequestError, Unavailable
from modelserver.memory import return_freed_memory
from modelserver.metrics import Metrics
from modelserver.runtime import Runtime
from modelserver.savedmodel import read, serving_graph, signatures
from modelserver.storage import Fingerprint, fingerprint, list_versions

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often the volume is looked at."""

    poll_seconds: float
    """0: once, and again when the settings change."""

    max_retries: int
    """How often an unchanged version that failed is tried again."""

    retry_seconds: float


@dataclass(frozen=True)
class Failure:
    """Why a version is not loaded, and when to try again."""

    of: Fingerprint | None
    attempts: int
    at: float


class Watcher:
    """Keeps the served versions of one model as its settings and its folder want them."""

    def __init__(
        self, settings: ModelSettings, catalog: Catalog, runtime: Runtime, metrics: Metrics, pace: Pace
    ) -> None:
        """Prepare; `start` begins."""
        self._settings = settings
        self._catalog = catalog
        self._runtime = runtime
        self._metrics = metrics
        self._pace = pace
        self._failures: dict[int, Failure] = {}
        self._complaint = ""
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self.looked = threading.Event()
        """Set when the folder was gone through once with the present settings."""

        # A daemon: a thread that hangs in the volume must not keep the process from ending.
        self._thread = threading.Thread(target=self._watch, name=f"watch-{settings.name}", daemon=True)

    @property
    def settings(self) -> ModelSettings:
        """Return what this watcher works towards."""
        return self._settings

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def update(self, settings: ModelSettings) -> None:
        """Work towards other settings from now on."""
        self._settings = settings
        self.looked.clear()
        self._wake.set()

    def stop(self) -> None:
        """Load nothing more. Does not wait: the thread may hang in the volume."""
        self._stopped.set()
        self._wake.set()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self._wake.clear()
            settings = self._settings
            self._look_once(settings)
            if settings is self._settings:
                self.looked.set()
                self._catalog.notify()
                self._wake.wait(self._pace.poll_seconds or None)

    def _look_once(self, settings: ModelSettings) -> None:
        try:
            self._reconcile(settings, list_versions(settings.base_path, settings.name))
        except RequestError as error:
            self._complain(error.message)
        except Exception:
            # A bug of ours in one pass must not end the watching; the next pass may do better.
            LOG.exception("model %s: watching failed", settings.name)

    def _reconcile(self, settings: ModelSettings, existing: dict[int, Path]) -> None:
        wanted = settings.policy.choose(existing)
        if not wanted:
            # An empty folder may be a volume that is not mounted: what is loaded stays.
            self._complain(f"No versions of servable {settings.name} found under base path {settings.base_path}")
            return
        self._complaint = ""
        self._catalog.announce(settings.name, wanted)
        for version in wanted:
            self._ensure_loaded(settings.name, version, existing[version])
        loaded = self._catalog.loaded(settings.name)
        if loaded.keys() & set(wanted):
            self._withdraw(settings.name, loaded.keys() - set(wanted))
        elif not loaded:
            self._fall_back(settings, existing, wanted)

    def _fall_back(self, settings: ModelSettings, existing: dict[int, Path], wanted: list[int]) -> None:
        """Serve the next smaller version that loads, so that a broken new version also survives a restart."""
        if settings.policy.kind != "latest":
            return
        for version in sorted(existing.keys() - set(wanted), reverse=True):
            if self._ensure_loaded(settings.name, version, existing[version]):
                LOG.warning("model %s: version %d is served in the place of %s", settings.name, version, wanted)
                return

    def _withdraw(self, name: str, versions: set[int]) -> None:
        if self._stopped.is_set():
            return
        for version in versions:
            LOG.info("model %s: version %d is unloaded", name, version)
            self._catalog.withdraw(name, version)

    def _ensure_loaded(self, name: str, version: int, path: Path) -> bool:
        """Load a version unless it is. Returns whether it is loaded."""
        if self._catalog.loaded(name).get(version) == path:
            return True
        before: Fingerprint | None = None
        try:
            before = fingerprint(path)
            if not self._should_try(version, before):
                return False
            self._load(name, version, path, before)
        except RequestError as error:
            self._note_failure(name, version, before, error)
            return False
        self._failures.pop(version, None)
        return True

    def _should_try(self, version: int, files: Fingerprint) -> bool:
        failure = self._failures.get(version)
        if self._stopped.is_set():
            return False
        if failure is None or failure.of != files:
            return True
        waited = time.monotonic() - failure.at
        return failure.attempts <= self._pace.max_retries and waited >= self._pace.retry_seconds

    def _load(self, name: str, version: int, path: Path, before: Fingerprint) -> None:
        started = time.monotonic()
        if version not in self._catalog.loaded(name):
            self._catalog.record(name, version, State.LOADING)
        servable = self._read(name, version, path)
        if fingerprint(path) != before or self._stopped.is_set():
            servable.model.close()
            raise Unavailable(f"{path} changed while it was being read; it is read again when it has settled")
        self._catalog.publish(servable)
        return_freed_memory()
        seconds = time.monotonic() - started
        self._metrics.load(name, "OK", seconds)
        LOG.info("model %s: version %d is served after %.2f s", name, version, seconds)

    def _read(self, name: str, version: int, path: Path) -> Servable:
        model = read(path)
        definitions = signatures(serving_graph(model))
        try:
            loaded = self._runtime.load(path, model)
            shown = {key: definition for key, definition in definitions.items() if key not in loaded.hidden}
            return Servable(name, version, path, loaded, shown)
        except RequestError:
            raise
        except Exception as error:
            # Whatever a library raises over a broken file, it is this version's failure and not the server's.
            LOG.exception("model %s: version %d: unexpected failure of the runtime", name, version)
            raise Internal(f"{type(error).__name__}: {error}"[:500]) from error

    def _note_failure(self, name: str, version: int, files: Fingerprint | None, error: RequestError) -> None:
        previous = self._failures.get(version)
        if previous is not None and previous.of == files and files is None:
            return
        attempts = previous.attempts + 1 if previous is not None and previous.of == files else 1
        self._failures[version] = Failure(files, attempts, time.monotonic())
        self._metrics.load(name, type(error).__name__, 0.0)
        LOG.error("model %s: version %d cannot be loaded: %s", name, version, error.message)
        if version not in self._catalog.loaded(name):
            self._catalog.record(name, version, State.END, error)

    def _complain(self, text: str) -> None:
        """Log a state of the folder once, not at every poll."""
        if text != self._complaint:
            LOG.warning("%s", text)
        self._complaint = text
