"""The file of --model_config_file, read again at an interval."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from modelserver.configuration import parse
from modelserver.errors import InvalidArgument, RequestError
from modelserver.serving import Serving
from protos.stubs.tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

LOG = logging.getLogger(__name__)


class ConfigurationFile:
    """Applies the file when its text changes. A file that is wrong is told about and changes nothing."""

    def __init__(self, path: Path, serving: Serving, poll_seconds: float) -> None:
        """Prepare; `read` gives the first configuration and `start` begins to poll."""
        self._path = path
        self._serving = serving
        self._poll_seconds = poll_seconds
        self._text: str | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="configuration", daemon=True)

    def read(self) -> ModelServerConfig:
        """Read the file.

        Raises:
            InvalidArgument: it cannot be read, or is no ModelServerConfig.
        """
        self._text = self._read_text()
        return parse(self._text, str(self._path))

    def start(self) -> None:
        """Look at the file from now on, unless the interval is 0."""
        if self._poll_seconds > 0:
            self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def _poll(self) -> None:
        while not self._stopped.wait(self._poll_seconds):
            try:
                self._look()
            except RequestError as error:
                LOG.warning("%s: not applied: %s", self._path, error.message)
            except Exception:
                LOG.exception("%s: not applied", self._path)

    def _look(self) -> None:
        text = self._read_text()
        if text == self._text:
            return
        # Remembered before it is tried: a text that is wrong is told about once.
        self._text = text
        LOG.info("%s: changed", self._path)
        # Without waiting for new models: the next change of the file may be what lets them load.
        self._serving.reload(parse(text, str(self._path)), None)

    def _read_text(self) -> str:
        try:
            return self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidArgument(f"Invalid protobuf file: '{self._path}': {error}") from error
