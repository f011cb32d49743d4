"""`python -m modelserver`: read the command line, serve, end gracefully on SIGTERM and SIGINT."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from types import FrameType

from modelserver.errors import StartupError
from modelserver.flags import Options, parse
from modelserver.memory import limit_arenas

LOG = logging.getLogger("modelserver")


def main() -> int:
    """Run until a signal. Returns the exit status."""
    logging.basicConfig(format="%(asctime)s %(levelname).1s %(message)s", level=logging.INFO, stream=sys.stderr)
    try:
        options = parse()
        return _serve(options)
    except StartupError as error:
        print(f"modelserver: {error}", file=sys.stderr)
        return 1


def _serve(options: Options) -> int:
    started = time.perf_counter()
    limit_arenas()
    # Imported here: a mistake on the command line is told at once, before the libraries are loaded.
    from modelserver.server import ModelServer

    stopping = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    for name in options.ignored:
        LOG.warning("--%s is taken and does nothing in this server", name)
    server = ModelServer(options)
    server.start()
    LOG.info("started with %s in %.2f s", options.runtime, time.perf_counter() - started)
    stopping.wait()
    LOG.info("ending; requests under way have %g s", options.drain_seconds)
    server.stop(options.drain_seconds)
    return 0


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    # Not sys.exit: it waits for threads, and one may be in an inference that the drain did not wait for, or in a volume
    # that hangs.
    os._exit(status)
