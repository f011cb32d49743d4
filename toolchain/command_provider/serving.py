"""Serve the provider to the engine by gRPC."""

import argparse
import asyncio
import sys
from contextlib import suppress
from typing import Any

import grpc
import grpc.aio
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2_grpc

from toolchain.command_provider.errors import CommandFailed
from toolchain.command_provider.provider import VERSION, CommandProvider, UrnLog

_LARGEST_MESSAGE_BYTES = 400 << 20
_OPTIONS = [
    ("grpc.max_receive_message_length", _LARGEST_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _LARGEST_MESSAGE_BYTES),
]


Context = grpc.aio.ServicerContext[Any, Any]


class Servicer(ProviderServicer):
    """The SDK's servicer, but a failed command reaches the person without our traceback."""

    async def Create(self, request: Any, context: Context) -> Any:
        return await _plainly(super().Create, request, context)

    async def Update(self, request: Any, context: Context) -> Any:
        return await _plainly(super().Update, request, context)

    async def Delete(self, request: Any, context: Context) -> Any:
        return await _plainly(super().Delete, request, context)

    async def Check(self, request: Any, context: Context) -> Any:
        return await _plainly(super().Check, request, context)


def main(arguments: list[str]) -> None:
    """Serve until the engine ends this process; print the port first, as the engine expects."""
    parser = argparse.ArgumentParser(description="stand-in for the Pulumi command plugin")
    parser.add_argument("engine", help="address of the engine")
    known, rest = parser.parse_known_args(arguments)
    print(
        "this is KubEVC's stand-in for the command plugin, used because the official plugin is not on this machine",
        file=sys.stderr,
        flush=True,
    )
    # Ctrl-C reaches the whole process group; the engine has its own way to end us.
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(known.engine, rest))


async def _serve(engine_address: str, arguments: list[str]) -> None:
    server = grpc.aio.server(options=_OPTIONS)
    provider = CommandProvider(engine_log(engine_address))
    servicer = Servicer(arguments, VERSION, provider, engine_address)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


def engine_log(address: str) -> UrnLog:
    """Return a log that shows lines as the status of a resource, as the engine at `address` shows them."""
    engine: Any = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(address))

    async def log(urn: str, line: str) -> None:
        line_of_status = engine_pb2.LogRequest(
            severity=engine_pb2.LogSeverity.INFO, message=line, urn=urn, ephemeral=True
        )
        # A line that is not shown is no reason to stop a command.
        with suppress(grpc.RpcError):
            await engine.Log(line_of_status)

    return log


async def _plainly(method: Any, request: Any, context: Context) -> Any:
    try:
        return await method(request, context)
    except Exception as problem:
        # The SDK raises a new exception, with the traceback in its text, while it handles ours.
        cause = problem.__context__
        if isinstance(cause, CommandFailed):
            await context.abort(grpc.StatusCode.UNKNOWN, str(cause))
        raise
