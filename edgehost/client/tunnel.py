"""A way to a cluster's API for people's own tools."""

import asyncio
import signal
import sys
from collections.abc import Callable

from edgehost.engine_log import EngineLog
from edgehost.errors import EdgehostError
from edgehost.host import Hosts
from edgehost.login import Login
from edgehost.route import Route
from edgehost.tunnel import Tunnel

__all__ = ["EdgehostError", "Login", "hold"]


class _TerminalLog(EngineLog):
    """Write lines to the terminal, where no engine is."""

    def __init__(self) -> None:
        super().__init__("")

    async def _write(self, severity: int, text: str, *, ephemeral: bool) -> None:
        print(text, file=sys.stderr)


def hold(route: Route, login: Login, opened: Callable[[], None]) -> None:
    """Keep a tunnel open until the process is asked to end.

    Args:
        route: Where it begins and ends.
        login: How its host is entered; the environment's files go before its own.
        opened: Called once clients can connect.

    Raises:
        AccessError: The host cannot be entered.
        TunnelError: The local address cannot be used.
    """
    asyncio.run(_hold(route, login.with_environment(), opened))


async def _hold(route: Route, login: Login, opened: Callable[[], None]) -> None:
    hosts = Hosts(login, _TerminalLog())
    host = hosts.at(route.host, "tunnel")
    tunnel = Tunnel(route, host)
    try:
        await host.enter()
        await tunnel.open()
        opened()
        await _asked_to_end()
    finally:
        await tunnel.close()
        await hosts.close()


async def _asked_to_end() -> None:
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    await asked.wait()
