"""Serve the mirror and the apt cache on a lab's gateway address, until the lab goes down."""

import argparse
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from lab.gateway.apt_cache import AptCacheHandler, PackageStore
from lab.gateway.mirror import MirrorHandler


class Server(ThreadingHTTPServer):
    """One thread per connection; a host that goes away takes none of them with it."""

    daemon_threads = True
    request_queue_size = 64


def main() -> None:
    """Serve both until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m lab.gateway", description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--mirror-port", type=int, required=True)
    parser.add_argument("--artifacts", type=Path, required=True, help="folder that the mirror serves")
    parser.add_argument("--apt-port", type=int, required=True)
    parser.add_argument("--packages", type=Path, required=True, help="folder that keeps Debian packages")
    parser.add_argument("--archive", action="append", required=True, help="host name of a Debian archive")
    options = parser.parse_args()

    MirrorHandler.directory = options.artifacts
    AptCacheHandler.store = PackageStore(options.packages, frozenset(options.archive))
    apt = Server((options.address, options.apt_port), AptCacheHandler)
    mirror = Server((options.address, options.mirror_port), MirrorHandler)
    Thread(target=apt.serve_forever, daemon=True).start()
    mirror.serve_forever()


if __name__ == "__main__":
    main()
