"""Asking a host what it is."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pulumi

from edgehost.client.host_resource import PACKAGE, HostArgs
from edgehost.host_facts import HostFacts, HostNetwork
from edgehost.naming import property_name

WHOLE_NUMBERS = {"memory_mib", "disk_free_mib", "cpu_count"}


def get_facts(host: HostArgs, opts: pulumi.InvokeOptions | None = None) -> HostFacts:
    """Ask a host what it is, now; one that cannot be entered has `reachable` False and says why in `error`."""
    answer = pulumi.runtime.invoke(f"{PACKAGE}:index:getFacts", {"host": host}, opts=opts)
    return _facts(answer.value)


def get_facts_output(
    host: pulumi.Input[HostArgs], opts: pulumi.InvokeOptions | None = None
) -> pulumi.Output[HostFacts]:
    """Ask a host what it is once everything that the call depends on is known."""
    answer = pulumi.runtime.invoke_output(f"{PACKAGE}:index:getFacts", {"host": host}, opts=opts)
    return answer.apply(_facts)


def _facts(answer: Mapping[str, Any]) -> HostFacts:
    named = {field.name: answer.get(property_name(field.name)) for field in dataclasses.fields(HostFacts)}
    known: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    # Every number arrives as a float.
    known |= {name: int(known[name]) for name in WHOLE_NUMBERS & known.keys()}
    known["networks"] = [HostNetwork(**network) for network in known.get("networks", [])]
    return HostFacts(**known)
