"""The whole server: its parts put together, started, and stopped without losing a request."""

from __future__ import annotations

import logging
import threading
import time

import grpc

from modelserver import configuration, runtime
from modelserver.catalog import Catalog
from modelserver.configuration_file import ConfigurationFile
from modelserver.errors import RequestError, StartupError
from modelserver.flags import Options
from modelserver.grpc_interface import create_server
from modelserver.inference import Inference
from modelserver.metrics import Metrics
from modelserver.rest_api import RestApi
from modelserver.rest_server import RestServer
from modelserver.serving import Serving
from modelserver.watcher import Pace

LOG = logging.getLogger(__name__)


class ModelServer:
    """Both interfaces over one catalog of versions."""

    def __init__(self, options: Options) -> None:
        """Make the parts; nothing listens yet.

        Raises:
            StartupError: the runtime is not installed, or a configuration file is wrong.
        """
        self._options = options
        self._catalog = Catalog()
        self._metrics = Metrics(self._catalog)
        chosen = runtime.create(options)
        pace = Pace(
            poll_seconds=options.file_system_poll_seconds,
            max_retries=options.max_load_retries,
            retry_seconds=options.load_retry_interval_seconds,
        )
        self._serving = Serving(
            self._catalog, chosen, self._metrics, pace, labels_may_lead=options.labels_for_unavailable_versions
        )
        self._inference = Inference(self._catalog, self._metrics, chosen.name)
        self._file: ConfigurationFile | None = None
        self._grpc: grpc.Server | None = None
        self._rest: RestServer | None = None
        self.grpc_port = 0
        self.rest_port = 0

    def start(self) -> None:
        """Listen, and begin to load the models.

        Raises:
            StartupError: a port is taken, or the configuration is wrong.
        """
        try:
            config = self._first_configuration()
            metrics_path = configuration.metrics_path(self._options.monitoring_config_file)
            self._start_grpc()
            self._start_rest(metrics_path)
            self._serving.start(config)
        except RequestError as error:
            self.stop(0)
            raise StartupError(f"configuration: {error.message}") from error
        if self._file is not None:
            self._file.start()

    def stop(self, seconds: float) -> None:
        """Take no new request; give those that are under way `seconds` to end."""
        started = time.monotonic()
        if self._file is not None:
            self._file.stop()
        self._serving.stop()
        ended = self._grpc.stop(seconds) if self._grpc is not None else None
        if self._rest is not None:
            self._rest.drain(seconds)
        if ended is not None:
            ended.wait(max(0.0, seconds - (time.monotonic() - started)) + 1)

    def _first_configuration(self) -> configuration.ModelServerConfig:
        if self._options.model_config_file is None:
            return configuration.of_one_model(self._options.model_name, self._options.model_base_path)
        self._file = ConfigurationFile(
            self._options.model_config_file, self._serving, self._options.model_config_poll_seconds
        )
        return self._file.read()

    def _start_grpc(self) -> None:
        server = create_server(
            self._inference,
            self._serving,
            self._metrics,
            as_content=self._options.answers_as_tensor_content,
            health=self._options.grpc_health,
        )
        address = f"{self._options.bind_address}:{self._options.grpc_port}"
        try:
            self.grpc_port = server.add_insecure_port(address)
        except RuntimeError as error:
            raise StartupError(_port_message("--port", address)) from error
        server.start()
        self._grpc = server
        LOG.info("gRPC at %s:%d", self._options.bind_address, self.grpc_port)

    def _start_rest(self, metrics_path: str | None) -> None:
        if self._options.rest_port is None:
            return
        api = RestApi(self._inference, self._metrics, metrics_path, self._options.rest_threads or 8)
        host = self._options.bind_address.strip("[]")
        try:
            self._rest = RestServer((host, self._options.rest_port), api, self._options.rest_timeout_seconds)
        except OSError as error:
            self.stop(0)
            address = f"{self._options.bind_address}:{self._options.rest_port}"
            raise StartupError(_port_message("--rest_api_port", address)) from error
        self.rest_port = self._rest.server_address[1]
        threading.Thread(target=self._rest.serve_forever, name="rest", daemon=True).start()
        LOG.info("REST at %s:%d", self._options.bind_address, self.rest_port)


def _port_message(flag: str, address: str) -> str:
    return (
        f"{flag}: cannot listen on {address}; another program has the port or the address is not this host's; "
        "stop that program, or name another port"
    )
