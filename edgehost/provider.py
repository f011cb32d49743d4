"""The provider: what Pulumi's engine asks, answered by the resources."""

import dataclasses
from collections.abc import Mapping
from typing import Any

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
    InvokeRequest,
    InvokeResponse,
    Provider,
    ReadRequest,
    ReadResponse,
    UpdateRequest,
    UpdateResponse,
)

from edgehost import adapter
from edgehost.address import HostAddress
from edgehost.checking import check_inputs
from edgehost.difference import compare
from edgehost.engine_log import EngineLog
from edgehost.errors import AccessError, CommandTimedOut, EdgehostError, InputError, StepError
from edgehost.facts import read_facts
from edgehost.forgetting import FORGET_VARIABLE, forgets_unreachable
from edgehost.host import Host, Hosts
from edgehost.login import Login
from edgehost.resource import REACHABLE, UNREACHABLE, HostInputs, Resource
from edgehost.route import Route
from edgehost.schema import schema_of
from edgehost.tunnel import Tunnel

PACKAGE = "edgehost"
TUNNEL = "tunnel"
AnyResource = Resource[Any, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _FactsArguments:
    host: HostAddress


@dataclasses.dataclass(frozen=True, kw_only=True)
class _TunnelArgument:
    tunnel: Route | None = None


class EdgehostProvider(Provider):
    """Answer the engine; each method finds the resource by its type token and translates."""

    def __init__(self, resources: Mapping[str, AnyResource], log: EngineLog) -> None:
        self._resources = resources
        self._log = log
        self._hosts = Hosts(Login().with_environment(), log)
        self._tunnel: Tunnel | None = None

    async def get_schema(self, request: GetSchemaRequest) -> GetSchemaResponse:
        return GetSchemaResponse(schema_of(PACKAGE, self._resources, (Login, _TunnelArgument)))

    async def check_config(self, request: CheckRequest) -> CheckResponse:
        """Find a missing key or known_hosts file before any host is tried."""
        failures: list[CheckFailure] = []
        if not adapter.has_unknowns(request.new_inputs):
            failures = _login_failures(request.new_inputs)
        return CheckResponse(inputs=request.new_inputs, failures=failures)

    async def diff_config(self, request: DiffRequest) -> DiffResponse:
        """Have the engine compare: it configures the provider anew with another key or tunnel, before either is used.

        Whatever is said here, it must not be that nothing changed: the engine would go on with the former settings.
        """
        return DiffResponse()

    async def configure(self, request: ConfigureRequest) -> ConfigureResponse:
        login = adapter.load(Login, request.args).with_environment()
        self._hosts = Hosts(login, self._log)
        await self._open_tunnel(adapter.load(_TunnelArgument, request.args).tunnel)
        return ConfigureResponse(accept_secrets=True, supports_preview=True, accept_resources=False)

    async def check(self, request: CheckRequest) -> CheckResponse:
        inputs, failures = check_inputs(self._resource(request.type), request.new_inputs)
        return CheckResponse(inputs=inputs, failures=failures)

    async def diff(self, request: DiffRequest) -> DiffResponse:
        resource = self._resource(request.type)
        _check_change(resource, request)
        return compare(resource, request.old_state, request.new_inputs)

    async def create(self, request: CreateRequest) -> CreateResponse:
        resource = self._resource(request.type)
        if request.preview:
            return CreateResponse("", _expected(resource, request.properties, {}))
        inputs = adapter.load(resource.inputs, request.properties)
        secret = adapter.secret_properties(request.properties) | resource.secret_outputs
        identity = f"{inputs.host.name}/{resource.token}/{resource.identity(inputs)}"
        try:
            state = await resource.create(self._host(inputs, request.urn), inputs)
        except StepError as reason:
            # The host may be half changed. In the stack, the resource is tried again by `up` and undone by `destroy`.
            raise InitFailed(identity, _dump(resource.begun(inputs), secret), request.properties, reason) from reason
        return CreateResponse(identity, _dump(state, secret))

    async def read(self, request: ReadRequest) -> ReadResponse:
        resource = self._resource(request.type)
        if not request.properties:
            raise _not_importable(request.resource_id)
        # The inputs stay what was last asked for; what is found goes into the properties, which a diff compares.
        old = adapter.load(resource.state, {**request.properties, **request.inputs})
        state = await self._find(resource, self._host(old, request.urn), old)
        if state is None:
            return ReadResponse()
        secret = adapter.secret_properties({**request.properties, **request.inputs}) | resource.secret_outputs
        return ReadResponse(request.resource_id, _dump(state, secret), request.inputs)

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        resource = self._resource(request.type)
        if request.preview:
            return UpdateResponse(_expected(resource, request.news, request.olds))
        old = adapter.load(resource.state, request.olds)
        inputs = adapter.load(resource.inputs, request.news)
        secret = adapter.secret_properties(request.news) | resource.secret_outputs
        state = await resource.update(self._host(inputs, request.urn), old, inputs)
        return UpdateResponse(_dump(state, secret))

    async def delete(self, request: DeleteRequest) -> None:
        resource = self._resource(request.type)
        state = adapter.load(resource.state, request.properties)
        host = self._host(state, request.urn)
        try:
            await resource.delete(host, state)
        except AccessError as error:
            if not forgets_unreachable():
                raise _cannot_clean(request.urn, error) from error
            await self._log.warn_once(
                f"forgotten without cleaning it, as {FORGET_VARIABLE} asks: {error.message.found}"
            )
            await resource.abandon(host, state)

    async def invoke(self, request: InvokeRequest) -> InvokeResponse:
        address = adapter.load(_FactsArguments, request.args).host
        return InvokeResponse(adapter.dump(await read_facts(self._hosts.at(address, request.tok))))

    async def cancel(self) -> None:
        if self._tunnel is not None:
            await self._tunnel.close()
        await self._hosts.close()

    async def _open_tunnel(self, route: Route | None) -> None:
        """Open the way to the API before the Kubernetes provider looks for it; the host is not entered yet."""
        if route is not None:
            self._tunnel = Tunnel(route, self._hosts.at(route.host, TUNNEL))
            await self._tunnel.open()

    async def _find(self, resource: AnyResource, host: Host, old: HostInputs) -> HostInputs | None:
        """Read a resource; of a host that does not answer, keep what was known and say so."""
        try:
            state = await resource.read(host, _with_status(old, REACHABLE))
        except (AccessError, CommandTimedOut) as error:
            await self._log.warn_once(str(error))
            return _with_status(old, UNREACHABLE)
        return state

    def _host(self, inputs: HostInputs, urn: str) -> Host:
        return self._hosts.at(inputs.host, urn)

    def _resource(self, token: str) -> AnyResource:
        return self._resources[token.rsplit(":", 1)[1]]


class InitFailed(Exception):
    """Carry to the engine a resource that exists but is not as it should be; it is recorded and tried again."""

    def __init__(
        self,
        resource_id: str,
        properties: dict[str, PropertyValue],
        inputs: Mapping[str, PropertyValue],
        reason: EdgehostError,
    ) -> None:
        self.resource_id = resource_id
        self.properties = properties
        self.inputs = dict(inputs)
        super().__init__(str(reason))


def _expected(resource: AnyResource, wanted: adapter.Properties, known: adapter.Properties) -> dict[str, PropertyValue]:
    """Return what a preview can say: the inputs, the outputs that stay, and unknown for the rest."""
    outputs = set(adapter.properties_of(resource.state)) - set(adapter.properties_of(resource.inputs))
    stay = {name: known[name] for name in outputs if name in known and name not in resource.volatile_outputs}
    unknown = {name: adapter.UNKNOWN_VALUE for name in outputs if name not in stay}
    return adapter.with_secrets({**wanted, **stay, **unknown}, resource.secret_outputs)


def _check_change(resource: AnyResource, request: DiffRequest) -> None:
    if adapter.has_unknowns(request.new_inputs):
        return
    old = adapter.load(resource.state, request.old_state)
    for problem in resource.check_change(old, adapter.load(resource.inputs, request.new_inputs)):
        raise problem


def _dump(state: HostInputs, secret: frozenset[str]) -> dict[str, PropertyValue]:
    return adapter.with_secrets(adapter.dump(state), secret)


def _with_status(state: HostInputs, status: str) -> HostInputs:
    return dataclasses.replace(state, host_status=status)


def _login_failures(given: adapter.Properties) -> list[CheckFailure]:
    try:
        login = adapter.load(Login, given).with_environment()
    except adapter.WrongType as error:
        return [CheckFailure(error.path, str(error))]
    failures: list[CheckFailure] = []
    for argument, find in (("privateKeyFile", login.key_path), ("knownHostsFile", login.known_hosts_path)):
        try:
            find()
        except AccessError as error:
            failures.append(CheckFailure(argument, str(error)))
    return failures


def _cannot_clean(urn: str, error: AccessError) -> AccessError:
    return type(error)(
        f"{error.message.where}, to delete",
        f"{error.message.found}",
        "What was made on the host is still there, so it stays in the stack.",
        f"Bring the host back and run `pulumi destroy` again; or, if it is gone for good, forget it with "
        f"`{FORGET_VARIABLE}=1 pulumi destroy` or `pulumi state delete '{urn}'`.",
    )


def _not_importable(resource_id: str) -> InputError:
    return InputError(
        resource_id,
        "a resource of a host cannot be imported by its id",
        "The id does not tell how the host is entered.",
        "Declare it in the program: what is on the host already as declared is taken over without a change.",
    )
