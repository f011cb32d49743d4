"""Answer the engine for the three resource types."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import (
    CheckFailure,
    CheckRequest,
    CheckResponse,
    ConfigureRequest,
    ConfigureResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    GetSchemaRequest,
    GetSchemaResponse,
    PropertyDiff,
    PropertyDiffKind,
    Provider,
    UpdateRequest,
    UpdateResponse,
)

from toolchain.command_provider import local
from toolchain.command_provider.errors import CommandFailed
from toolchain.command_provider.properties import Inputs, plain_map, unknown
from toolchain.command_provider.transcript import LineLog

VERSION = "1.2.1"
"""The version of the official plugin whose behaviour this follows."""
UrnLog = Callable[[str, str], Awaitable[None]]
"""Takes the URN of a resource and a line."""


class ResourceType(Protocol):
    """What the provider asks of a resource type."""

    @property
    def input_names(self) -> tuple[str, ...]: ...
    @property
    def outputs(self) -> tuple[str, ...]: ...
    def problems(self, inputs: Inputs) -> list[tuple[str, str]]: ...
    def observed(self, inputs: Inputs) -> Inputs: ...
    async def create(self, inputs: Inputs, log: LineLog) -> dict[str, str]: ...
    async def update(self, olds: Inputs, inputs: Inputs, log: LineLog) -> dict[str, str]: ...
    async def delete(self, olds: Inputs, log: LineLog) -> None: ...


def _remote_command() -> ResourceType:
    # Imported when it is used: the SSH library takes a quarter of the time in which this plugin starts.
    from toolchain.command_provider import remote

    return remote.COMMAND


def _copy_to_remote() -> ResourceType:
    from toolchain.command_provider.copy_to_remote import CopyToRemote

    return CopyToRemote()


_TYPES: dict[str, Callable[[], ResourceType]] = {
    "command:local:Command": lambda: local.COMMAND,
    "command:remote:Command": _remote_command,
    "command:remote:CopyToRemote": _copy_to_remote,
}


class CommandProvider(Provider):
    """The stand-in.

    Args:
        log: Shows a line as the status of a resource.
    """

    def __init__(self, log: UrnLog) -> None:
        self._log = log
        self._running: set[asyncio.Task[Any]] = set()

    async def get_schema(self, request: GetSchemaRequest) -> GetSchemaResponse:
        return GetSchemaResponse(f'{{"name": "command", "version": "{VERSION}"}}')

    async def configure(self, request: ConfigureRequest) -> ConfigureResponse:
        return ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def diff_config(self, request: DiffRequest) -> DiffResponse:
        return DiffResponse(changes=False)

    async def check(self, request: CheckRequest) -> CheckResponse:
        problems = _type(request.type).problems(plain_map(request.new_inputs))
        failures = [CheckFailure(property=name, reason=reason) for name, reason in problems]
        return CheckResponse(inputs=request.new_inputs, failures=failures)

    async def diff(self, request: DiffRequest) -> DiffResponse:
        kind = _type(request.type)
        inputs = plain_map(request.new_inputs)
        olds, news = plain_map(request.old_state), {**inputs, **kind.observed(inputs)}
        names = [*kind.input_names, *kind.observed(inputs)]
        changed = [name for name in names if not _same(olds.get(name), news.get(name))]
        details = {name: _detail(name, olds, news) for name in changed}
        replaces = ["triggers"] if "triggers" in changed else []
        return DiffResponse(changes=bool(changed), diffs=changed, detailed_diff=details, replaces=replaces)

    async def create(self, request: CreateRequest) -> CreateResponse:
        kind = _type(request.type)
        resource_id = f"{request.name}{secrets.token_hex(4)}"
        if request.preview:
            return CreateResponse(resource_id=resource_id, properties=_previewed(kind, request.properties))
        work = kind.create(plain_map(request.properties), self._log_of(request.urn))
        outputs = await self._finish(work, request.timeout)
        return CreateResponse(resource_id=resource_id, properties=_marked(request.properties, outputs))

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        kind = _type(request.type)
        if request.preview:
            return UpdateResponse(properties=_previewed(kind, request.news))
        work = kind.update(plain_map(request.olds), plain_map(request.news), self._log_of(request.urn))
        outputs = await self._finish(work, request.timeout)
        return UpdateResponse(properties=_marked(request.news, outputs))

    async def delete(self, request: DeleteRequest) -> None:
        work = _type(request.type).delete(plain_map(request.properties), self._log_of(request.urn))
        await self._finish(work, request.timeout)

    async def cancel(self) -> None:
        for task in self._running:
            task.cancel()

    def _log_of(self, urn: str) -> LineLog:
        return lambda line: self._log(urn, line)

    async def _finish(self, work: Awaitable[Any], timeout_seconds: float) -> Any:
        """Wait for `work`, but no longer than the resource's own time-out (0 means none)."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        try:
            async with asyncio.timeout(timeout_seconds or None):
                return await task
        except TimeoutError as problem:
            raise CommandFailed(f"context deadline exceeded after {timeout_seconds:g} s") from problem
        except asyncio.CancelledError as problem:
            raise CommandFailed("context canceled") from problem
        finally:
            self._running.discard(task)


def _type(token: str) -> ResourceType:
    # The token of a child carries those of its parents: "kubevc:cluster:Cluster$command:local:Command".
    name = token.rpartition("$")[2]
    load = _TYPES.get(name)
    if load is None:
        known = ", ".join(_TYPES)
        raise CommandFailed(f"the stand-in for the command plugin does not have {name}, only {known}")
    return load()


def _same(old: Any, new: Any) -> bool:
    if hasattr(old, "path") and hasattr(new, "path"):
        return bool(old.path == new.path)
    return bool(old == new)


def _detail(name: str, olds: Inputs, news: Inputs) -> PropertyDiff:
    if name == "triggers":
        return PropertyDiff(PropertyDiffKind.UPDATE_REPLACE, True)
    if name not in olds:
        return PropertyDiff(PropertyDiffKind.ADD, True)
    return PropertyDiff(PropertyDiffKind.UPDATE if name in news else PropertyDiffKind.DELETE, True)


def _previewed(kind: ResourceType, inputs: Mapping[str, PropertyValue]) -> dict[str, PropertyValue]:
    return {**inputs, **{name: unknown() for name in kind.outputs}}


def _marked(inputs: Mapping[str, PropertyValue], outputs: dict[str, str]) -> dict[str, PropertyValue]:
    """Join inputs and outputs; what a command prints is secret if it was given a secret.

    The connection, which is always secret, does not count: hardly any command prints its key.
    """
    secret = any(value.contains_secret() for name, value in inputs.items() if name != "connection")
    return {**inputs, **{name: PropertyValue(text, is_secret=secret) for name, text in outputs.items()}}
