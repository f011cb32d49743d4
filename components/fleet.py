"""The hosts of a site: how they are entered, and whether they can be set up at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pulumi

from components.api_access import api_route
from components.artifacts import ArtifactSource
from components.errors import HostsNotReady, Problem
from components.facts import node_problems, store_problems, summary
from components.handles import Host
from components.matrix import problems_of_the_hosts
from components.site import Kubernetes, ModelStore, Node, Site, Ssh
from edgehost import client
from edgehost.client import HostFacts


@dataclass(frozen=True, kw_only=True)
class FleetArgs:
    """What a fleet is made of."""

    site: Site
    """The site: its hosts, and how they are entered."""
    artifacts: ArtifactSource
    """Tables that say what there is for which architecture."""


class Fleet(pulumi.ComponentResource):
    """Enter every host once, read its facts, and refuse before anything is written if one cannot be set up.

    In a preview most problems are warnings, so that one lost host does not hide what would happen to the others.
    """

    hosts: dict[str, Host]
    store: Host

    def __init__(self, name: str, args: FleetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:fleet:Fleet", name, None, opts)
        self._entry = self._enter(name, args.site.ssh, api_route(args.site))
        store = args.site.model_store
        everyone: dict[str, Node | ModelStore] = {store.name: store} | {node.name: node for node in args.site.nodes}
        facts = {host.name: self._facts_of(host) for host in everyone.values()}
        judged = pulumi.Output.all(**facts).apply(lambda known: _judge(known, everyone, args))
        self.hosts = {host.name: self._host(host, facts[host.name], judged) for host in everyone.values()}
        self.store = self.hosts[store.name]
        self.register_outputs({})

    def _enter(self, name: str, ssh: Ssh, tunnel: client.Route | None) -> pulumi.ProviderResource:
        return client.Provider(
            f"{name}-ssh",
            user=ssh.user,
            port=ssh.port_number,
            private_key_file=str(ssh.private_key_file),
            known_hosts_file=str(ssh.known_hosts_file),
            connect_timeout_seconds=ssh.connect_timeout_seconds,
            tunnel=tunnel,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _facts_of(self, host: Node | ModelStore) -> pulumi.Output[HostFacts]:
        options = pulumi.InvokeOptions(parent=self, provider=self._entry)
        return client.get_facts_output({"name": host.name, "address": str(host.address)}, options)

    def _host(self, host: Node | ModelStore, facts: pulumi.Output[HostFacts], judged: pulumi.Output[None]) -> Host:
        given = host.architecture if isinstance(host, Node) else None
        return Host(
            name=host.name,
            address=judged.apply(lambda _: str(host.address)),
            architecture=pulumi.Output.all(facts, judged).apply(
                lambda known: cast(str, given or known[0].architecture or pulumi.UNKNOWN)
            ),
            provider=self._entry,
        )


def _judge(facts: dict[str, HostFacts], hosts: dict[str, Node | ModelStore], args: FleetArgs) -> None:
    """Refuse an update, all hosts' problems together; a preview tells them, and what else each host is.

    What no host of its architecture can do, a preview refuses as well: what it would show could never be.
    """
    problems = {name: _problems(known, hosts[name], args.site.kubernetes) for name, known in facts.items()}
    told = {name: known.architecture for name, known in facts.items() if known.reachable}
    impossible = problems_of_the_hosts(args.site, args.artifacts, told)
    if pulumi.runtime.is_dry_run():
        _tell(facts, problems)
        problems = {}
    if every := [*impossible, *(problem for found in problems.values() for problem in found)]:
        raise pulumi.RunError(str(HostsNotReady("These hosts cannot be set up", every)))


def _tell(facts: dict[str, HostFacts], problems: dict[str, list[Problem]]) -> None:
    for name, found in problems.items():
        for problem in found:
            pulumi.log.warn(str(problem))
        if not found:
            pulumi.log.info(summary(facts[name], name))


def _problems(facts: HostFacts, host: Node | ModelStore, kubernetes: Kubernetes) -> list[Problem]:
    return node_problems(facts, host, kubernetes) if isinstance(host, Node) else store_problems(facts, host)
