"""Drive the stand-in for the command plugin as the engine does: its own process, gRPC, an engine to log to."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2_grpc, provider_pb2, provider_pb2_grpc

from toolchain.state import CHECKOUT

EXECUTABLE = CHECKOUT / "toolchain" / "command_provider" / "pulumi-resource-command"


def properties(values: dict[str, Any]) -> struct_pb2.Struct:
    """Return inputs or outputs as they travel."""
    return json_format.ParseDict(values, struct_pb2.Struct())


def secret(value: Any) -> dict[str, Any]:
    """Return a secret as it travels."""
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}


def asset(path: Any) -> dict[str, Any]:
    """Return a file asset as it travels."""
    return {rpc._special_sig_key: rpc._special_asset_sig, "path": str(path)}


def urn(kind: str, parents: str = "") -> str:
    """Return the URN of a resource named `it`, with the types of its parents before its own."""
    return f"urn:pulumi:dev::project::{parents}{kind}::it"


class Engine(engine_pb2_grpc.EngineServicer):
    """The engine's side: keep the lines that it would show."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def Log(self, request: Any, context: Any) -> empty_pb2.Empty:
        assert request.ephemeral
        self.lines.append(request.message)
        return empty_pb2.Empty()


@dataclass
class Plugin:
    """A running plugin and the lines that it logged."""

    stub: Any
    lines: list[str]

    async def check(self, kind: str, inputs: dict[str, Any]) -> list[tuple[str, str]]:
        """Return the failures: pairs of property and reason."""
        answer = await self.stub.Check(provider_pb2.CheckRequest(urn=urn(kind), news=properties(inputs)))
        return [(failure.property, failure.reason) for failure in answer.failures]

    async def create(self, kind: str, inputs: dict[str, Any], *, preview: bool = False) -> dict[str, Any]:
        """Return the outputs; secrets stay marked."""
        request = provider_pb2.CreateRequest(urn=urn(kind, "a:b:C$"), properties=properties(inputs), preview=preview)
        answer = await self.stub.Create(request)
        assert answer.id.startswith("it")
        return json_format.MessageToDict(answer.properties)

    async def diff(self, kind: str, olds: dict[str, Any], news: dict[str, Any]) -> tuple[list[str], list[str]]:
        """Return the names that differ and the names that replace."""
        request = provider_pb2.DiffRequest(urn=urn(kind), id="it", olds=properties(olds), news=properties(news))
        answer = await self.stub.Diff(request)
        assert (answer.changes == provider_pb2.DiffResponse.DIFF_SOME) == bool(answer.diffs)
        return list(answer.diffs), list(answer.replaces)

    async def update(self, kind: str, olds: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
        """Return the outputs."""
        request = provider_pb2.UpdateRequest(urn=urn(kind), id="it", olds=properties(olds), news=properties(news))
        return json_format.MessageToDict((await self.stub.Update(request)).properties)

    async def delete(self, kind: str, outputs: dict[str, Any], *, timeout_seconds: float = 0) -> None:
        """Delete what has these outputs."""
        request = provider_pb2.DeleteRequest(
            urn=urn(kind), id="it", properties=properties(outputs), timeout=timeout_seconds
        )
        await self.stub.Delete(request)


@asynccontextmanager
async def command_plugin() -> AsyncGenerator[Plugin]:
    """Run the plugin until the block ends."""
    engine, server = Engine(), grpc.aio.server()
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    process = await asyncio.create_subprocess_exec(sys.executable, EXECUTABLE, address, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    try:
        port = int(await asyncio.wait_for(process.stdout.readline(), 30))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Plugin(provider_pb2_grpc.ResourceProviderStub(channel), engine.lines)
    finally:
        process.kill()
        await process.communicate()
        await server.stop(0)


def unmarked(outputs: dict[str, Any]) -> dict[str, Any]:
    """Return outputs without marks of secrecy."""
    values = PropertyValue.unmarshal_map(properties(outputs))
    return {name: value.value for name, value in values.items()}
