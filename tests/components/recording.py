"""A Pulumi monitor that records what a program registers: parents, dependencies, providers, secrets."""

from __future__ import annotations

import asyncio
import contextvars
import json
import runpy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc
from pulumi.runtime.stack import run_in_stack

PROGRAM = Path(__file__).resolve().parents[2] / "__main__.py"
SECRET = rpc._special_secret_sig
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: default, cluster: {server: "https://192.0.2.11:6443"}}]
users: [{name: default, user: {}}]
contexts: [{name: default, context: {cluster: default, user: default}}]
current-context: default
"""
FACTS = {
    "reachable": True,
    "architecture": "amd64",
    "osName": "Debian GNU/Linux 12 (bookworm)",
    "memoryMib": 2048,
    "diskFreeMib": 20000,
    "cpuCount": 2,
    "clockOffsetSeconds": 0.1,
    "root": True,
    "apt": True,
    "systemd": True,
}


@dataclass(frozen=True)
class Registered:
    """One resource as the engine was told about it."""

    urn: str
    type: str
    name: str
    parent: str
    provider: str
    dependencies: frozenset[str]
    inputs: dict[str, Any]
    delete_timeout: str = ""


@dataclass
class Graph:
    """Everything that a program registered."""

    resources: dict[str, Registered] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def named(self, name: str) -> Registered:
        """Return the resource of a name."""
        return next(resource for resource in self.resources.values() if resource.name == name)

    def of_type(self, fragment: str) -> list[Registered]:
        """Return the resources whose type contains a text."""
        return [resource for resource in self.resources.values() if fragment in resource.type]

    def types_around(self, resource: Registered) -> list[str]:
        """Return a resource's type and those of the components that it belongs to; the engine's URNs hold them all."""
        outer = self.resources.get(resource.parent)
        return [resource.type, *(self.types_around(outer) if outer else [])]

    def waits_for(self, name: str) -> set[str]:
        """Return the names of all resources that must be there before one is made."""
        pending, seen = [self.named(name)], set[str]()
        while pending:
            for urn in pending.pop().dependencies - seen:
                seen.add(urn)
                pending.append(self.resources[urn])
        return {self.resources[urn].name for urn in seen}


class _Answers(mocks.Mocks):
    """Answer as the providers would."""

    def __init__(self, facts: dict[str, dict[str, Any]]) -> None:
        self.facts = facts

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = dict(args.inputs)
        if args.typ == "edgehost:index:ClusterAccess":
            outputs |= {"kubeconfig": KUBECONFIG, "version": "v1.26.2+k3s1"}
        if args.typ == "edgehost:index:ModelVersion":
            outputs["manifest"] = {"saved_model.pb": "0" * 64}
        if args.typ == "command:local:Command":
            outputs["stdout"] = json.dumps({"detections": []})
        return f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        assert args.token == "edgehost:index:getFacts"
        return {**FACTS, **self.facts.get(args.args["host"]["name"], {})}


@contextmanager
def _event_loop_of_this_call() -> Iterator[None]:
    """Give the mocks an event loop in their worker thread, and close it, which they would not."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class _Monitor(mocks.MockMonitor):
    """Keep each registration's request."""

    def __init__(self, answers: _Answers, graph: Graph) -> None:
        super().__init__(answers)
        self.graph = graph

    def RegisterResource(self, request: Any) -> Any:
        with _event_loop_of_this_call():
            answer = super().RegisterResource(request)
        self.graph.resources[answer.urn] = Registered(
            urn=answer.urn,
            type=request.type,
            name=request.name,
            parent=request.parent,
            provider=request.provider,
            dependencies=frozenset(request.dependencies),
            inputs=json_format.MessageToDict(request.object),
            delete_timeout=request.customTimeouts.delete,
        )
        return answer

    def Invoke(self, request: Any) -> Any:
        with _event_loop_of_this_call():
            return super().Invoke(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        if "pulumi:pulumi:Stack" in request.urn:
            self.graph.outputs = json_format.MessageToDict(request.outputs)
        return super().RegisterResourceOutputs(request)


class _Engine(mocks.MockEngine):
    """Keep warnings."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(None)
        self.graph = graph

    def Log(self, request: Any) -> None:
        self.graph.warnings.append(request.message)


def record(site: dict[str, Any], *, preview: bool = False, facts: dict[str, dict[str, Any]] | None = None) -> Graph:
    """Run the program for a site and return what it registered.

    Args:
        site: The site, as plain data.
        preview: Whether it runs as in a preview.
        facts: Host to what differs in its facts from an ordinary host's.

    Raises:
        pulumi.RunError: The program refused.
    """
    program = partial(runpy.run_path, str(PROGRAM), run_name="__main__")
    return contextvars.copy_context().run(_run, program, site, preview, facts or {})


def _run(program: Callable[[], Any], site: dict[str, Any], preview: bool, facts: dict[str, dict[str, Any]]) -> Graph:
    graph = Graph()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        mocks.set_mocks(_Answers(facts), "kubevc", "test", preview, monitor=_Monitor(_Answers(facts), graph))
        pulumi.runtime.settings.SETTINGS.engine = _Engine(graph)
        # The mocks bring a stack of their own; the program shall have one that collects its outputs.
        pulumi.runtime.settings.ROOT.set(None)
        pulumi.runtime.set_all_config({"kubevc:site": json.dumps(site)})

        def run() -> None:
            program()

        loop.run_until_complete(run_in_stack(run))
    finally:
        _end(loop)
    return graph


def _end(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop after what a refused program left waiting in it."""
    # The same refusal reaches every output that waits; one report of it is enough.
    loop.set_exception_handler(lambda *_: None)
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    pulumi.runtime.settings.SETTINGS.outputs.clear()
    loop.close()
    asyncio.set_event_loop(None)
