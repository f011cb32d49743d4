"""The provider over gRPC: the SDK's servicer, without tracebacks for a user's mistakes."""

import asyncio
import os
import sys
from collections.abc import Awaitable
from typing import Any, NoReturn, TypeVar

import grpc
import grpc.aio
from google.protobuf import any_pb2
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import Provider
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from edgehost.engine_log import current_urn
from edgehost.errors import EdgehostError
from edgehost.provider import InitFailed

AnswerT = TypeVar("AnswerT")
MESSAGE_LIMIT_BYTES = 400 * 1024 * 1024
CANCEL_SECONDS = 15.0
ENGINE_POLL_SECONDS = 1.0
DETAILS_KEY = "grpc-status-details-bin"


def _answered(method: str) -> Any:
    async def call(self: "EdgehostServicer", request: Any, context: Any) -> Any:
        sdk_method: Any = getattr(ProviderServicer, method)
        return await self.answer(sdk_method(self, request, context), request, context)

    return call


class EdgehostServicer(ProviderServicer):
    """Answer each call as the SDK does; an error of ours becomes its text alone, a bug keeps its traceback."""

    def __init__(self, version: str, provider: Provider, engine_address: str) -> None:
        super().__init__([], version, provider, engine_address)
        self._running: set[asyncio.Task[Any]] = set()

    CheckConfig = _answered("CheckConfig")
    Configure = _answered("Configure")
    Check = _answered("Check")
    Diff = _answered("Diff")
    Create = _answered("Create")
    Read = _answered("Read")
    Update = _answered("Update")
    Delete = _answered("Delete")
    Invoke = _answered("Invoke")

    async def Cancel(self, request: Any, context: Any) -> Any:
        """Stop what is under way: every step on a host can be repeated, so none needs to be waited for."""
        for task in self._running:
            task.cancel()
        if self._running:
            # A join takes its token back before it ends.
            await asyncio.wait(self._running, timeout=CANCEL_SECONDS)
        return await super().Cancel(request, context)

    async def answer(self, answer: Awaitable[AnswerT], request: Any, context: Any) -> AnswerT:
        """Await an answer of the SDK's and translate what it raises."""
        current_urn.set(getattr(request, "urn", ""))
        task = asyncio.ensure_future(answer)
        self._running.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            await context.abort(grpc.StatusCode.CANCELLED, "cancelled; the next `pulumi up` goes on from here")
            raise
        except Exception as error:
            # The SDK raises a new exception with a traceback in its text; ours is its context.
            await _abort(error.__context__, context)
            raise
        finally:
            self._running.discard(task)


async def _abort(error: BaseException | None, context: Any) -> None:
    if isinstance(error, InitFailed):
        await _abort_with_state(error, context)
    if isinstance(error, EdgehostError):
        await context.abort(grpc.StatusCode.UNKNOWN, str(error))


async def _abort_with_state(error: InitFailed, context: Any) -> NoReturn:
    failed = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id,
        properties=PropertyValue.marshal_map(error.properties),
        inputs=PropertyValue.marshal_map(error.inputs),
        reasons=[str(error)],
    )
    detail = any_pb2.Any()
    detail.Pack(failed)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[detail])
    await context.abort(grpc.StatusCode.UNKNOWN, str(error), ((DETAILS_KEY, status.SerializeToString()),))
    raise AssertionError("abort always raises")


async def serve(version: str, provider: Provider, engine_address: str) -> None:
    """Serve the provider on a free port of loopback, and tell the engine the port on stdout; end with the engine."""
    engine = os.getppid()
    size = [("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES), ("grpc.max_send_message_length", -1)]
    server = grpc.aio.server(options=size)
    servicer = EdgehostServicer(version, provider, engine_address)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # The engine ends its plugins. One that was killed cannot, and would leave connections and a tunnel open for ever.
    while os.getppid() == engine:
        await server.wait_for_termination(ENGINE_POLL_SECONDS)
    await server.stop(grace=None)
