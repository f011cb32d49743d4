"""What every resource of the provider has in common."""

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from edgehost.address import HostAddress
from edgehost.errors import InputError
from edgehost.host import Host

REACHABLE = "reachable"
UNREACHABLE = "unreachable"


@dataclass(frozen=True, kw_only=True)
class HostInputs:
    """Hold what every resource is told.

    Attributes:
        host: The host that the resource lives on.
        host_status: Always "reachable" in what is wanted; "unreachable" in the state while the host does not answer,
            so that a preview shows it by name and never takes the resource for deleted.
    """

    host: HostAddress
    host_status: str = REACHABLE


InputsT = TypeVar("InputsT", bound=HostInputs)
StateT = TypeVar("StateT", bound=HostInputs)


class Resource(ABC, Generic[InputsT, StateT]):
    """Say what one kind of thing on a host is: how it is read, made, changed and undone.

    The state is a dataclass that extends the inputs: fields of the inputs hold what was *found* on the host, so that
    the difference between the two is the drift; further fields are outputs.
    """

    token: ClassVar[str]
    inputs: type[InputsT]
    state: type[StateT]
    # Properties, or paths such as server.name, whose change makes it another resource; the host's name always does.
    replace_on: ClassVar[frozenset[str]] = frozenset()
    # Properties that only say how it is done: their change alone is no reason to do it again.
    not_compared: ClassVar[frozenset[str]] = frozenset()
    # Outputs that are secrets whatever the inputs say.
    secret_outputs: ClassVar[frozenset[str]] = frozenset()
    # Outputs that an update may change, so that a preview must call them unknown.
    volatile_outputs: ClassVar[frozenset[str]] = frozenset()
    # Whether the old one must be gone before its replacement is made, because both have one place on the host.
    delete_before_replace: ClassVar[bool] = True

    @abstractmethod
    def identity(self, inputs: InputsT) -> str:
        """Return what tells this resource from others of its kind on the same host."""

    def check(self, inputs: InputsT) -> list[InputError]:
        """Return what is wrong with the inputs by themselves."""
        del inputs
        return []

    def complete(self, inputs: InputsT) -> InputsT:
        """Return the inputs with what can be worked out on this machine filled in."""
        return inputs

    def check_change(self, state: StateT, inputs: InputsT) -> list[InputError]:
        """Return what forbids to lead from the old state to the inputs; asked in previews as well."""
        del state, inputs
        return []

    def begun(self, inputs: InputsT) -> StateT:
        """Return the state of a resource whose making was begun and failed; delete must be able to undo it."""
        return self.state(**{field.name: getattr(inputs, field.name) for field in dataclasses.fields(inputs)})

    @abstractmethod
    async def read(self, host: Host, state: StateT) -> StateT | None:
        """Return the state as found on the host, or None when the thing is not there at all.

        The given state holds what was last asked for and the outputs; the returned one what is there.
        """

    @abstractmethod
    async def create(self, host: Host, inputs: InputsT) -> StateT:
        """Make the host be as the inputs say and return the state; finding it so already is no error."""

    @abstractmethod
    async def update(self, host: Host, state: StateT, inputs: InputsT) -> StateT:
        """Lead the host from the old state to the inputs and return the new state."""

    @abstractmethod
    async def delete(self, host: Host, state: StateT) -> None:
        """Leave the host as it was before `create`; finding nothing is no error."""

    async def abandon(self, host: Host, state: StateT) -> None:
        """Tell others that what is on a host that will never answer again is not there any more."""
        del host, state
