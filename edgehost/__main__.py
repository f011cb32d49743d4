"""The provider's program; Pulumi's engine starts it with its own address as the only argument."""

import asyncio
import contextlib
import sys

from edgehost import VERSION
from edgehost.engine_log import EngineLog
from edgehost.provider import EdgehostProvider
from edgehost.resources import RESOURCES
from edgehost.servicer import serve


def main() -> None:
    """Serve until the engine ends the process."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not addresses:
        sys.exit("pulumi-resource-edgehost is a plugin: Pulumi's engine starts it and gives it an address.")
    provider = EdgehostProvider(RESOURCES, EngineLog(addresses[0]))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(VERSION, provider, addresses[0]))


if __name__ == "__main__":
    main()
