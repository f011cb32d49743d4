"""Lines for the person at the terminal, by way of the engine."""

from contextvars import ContextVar
from typing import Any

import grpc
import grpc.aio
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

# Set by the servicer for the length of one call, so that a line appears beside the resource that it is about.
current_urn: ContextVar[str] = ContextVar("current_urn", default="")


class EngineLog:
    """Write lines to the engine's display."""

    def __init__(self, engine_address: str) -> None:
        self._address = engine_address
        # The generated stub's types are those of a blocking channel.
        self._stub: Any = None
        self._said: set[str] = set()

    async def info(self, text: str) -> None:
        """Show a line that stays."""
        await self._write(engine_pb2.INFO, text, ephemeral=False)

    async def progress(self, text: str) -> None:
        """Show a line that the next one replaces."""
        await self._write(engine_pb2.INFO, text, ephemeral=True)

    async def warn(self, text: str) -> None:
        """Show a warning."""
        await self._write(engine_pb2.WARNING, text, ephemeral=False)

    async def warn_once(self, text: str) -> None:
        """Show a warning unless it was shown before."""
        if text not in self._said:
            self._said.add(text)
            await self.warn(text)

    async def _write(self, severity: engine_pb2.LogSeverity.ValueType, text: str, *, ephemeral: bool) -> None:
        request = engine_pb2.LogRequest(severity=severity, message=text, urn=current_urn.get(), ephemeral=ephemeral)
        try:
            await self._engine().Log(request)
        except grpc.aio.AioRpcError:
            # The engine may be gone (a cancelled run); a line that nobody reads is no reason to fail a host's step.
            return

    def _engine(self) -> Any:
        if self._stub is None:
            self._stub = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(self._address))
        return self._stub
