"""Pods that run on every node with the host's own network and privileges, and the account that they act as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import pulumi
from pulumi_kubernetes.apps.v1 import DaemonSet
from pulumi_kubernetes.core.v1 import ServiceAccount
from pulumi_kubernetes.rbac.v1 import ClusterRole, ClusterRoleBinding

from components.ordering import after

NAMESPACE = "kube-system"


@dataclass(frozen=True, kw_only=True)
class Api:
    """The API's own address.

    Its Service has one too, but a node can use that only when kube-proxy has run there, and these agents start with it.
    """

    address: IPv4Address
    port_number: int

    def variables(self) -> list[dict[str, str]]:
        """Return the variables that clients in pods go by."""
        return [
            {"name": "KUBERNETES_SERVICE_HOST", "value": str(self.address)},
            {"name": "KUBERNETES_SERVICE_PORT", "value": str(self.port_number)},
        ]


@dataclass(frozen=True, kw_only=True)
class NodeAgent:
    """What runs on every node."""

    app: str
    """Name of its objects."""
    rules: Sequence[Mapping[str, Any]]
    """What its account may do, as RBAC rules."""
    container: Mapping[str, Any]
    """The container, without its name."""
    volumes: Sequence[Mapping[str, Any]]
    """Its volumes."""
    environment: Sequence[Mapping[str, Any]]
    """Variables of its container."""
    api: Api
    """Where it asks the API."""


def run_on_every_node(name: str, agent: NodeAgent, options: pulumi.ResourceOptions) -> None:
    """Make an agent's account and its DaemonSet, which runs whatever a node's taints are."""
    labels = {"app.kubernetes.io/name": agent.app, "app.kubernetes.io/managed-by": "kubevc"}
    metadata: Any = {"name": agent.app, "namespace": NAMESPACE, "labels": labels}
    account = _account(name, agent, metadata, options)
    spec: Any = {
        "selector": {"matchLabels": {"app.kubernetes.io/name": agent.app}},
        "template": {"metadata": {"labels": labels}, "spec": _pod(agent)},
    }
    # Nodes come and go; a site is not kept waiting for the slowest one's agent.
    unwaited: Any = {**metadata, "annotations": {"pulumi.com/skipAwait": "true"}}
    DaemonSet(f"{name}-agents", metadata=unwaited, spec=spec, opts=after(options, account))


def _account(
    name: str, agent: NodeAgent, metadata: Mapping[str, Any], options: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    given: Any = dict(metadata)
    clusterwide: Any = {"name": f"kubevc-{agent.app}", "labels": metadata["labels"]}
    role: Any = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": clusterwide["name"]}
    subjects: Any = [{"kind": "ServiceAccount", "name": agent.app, "namespace": NAMESPACE}]
    rules: Any = list(agent.rules)
    return [
        ServiceAccount(f"{name}-account", metadata=given, opts=options),
        ClusterRole(f"{name}-role", metadata=clusterwide, rules=rules, opts=options),
        ClusterRoleBinding(f"{name}-binding", metadata=clusterwide, role_ref=role, subjects=subjects, opts=options),
    ]


def _pod(agent: NodeAgent) -> dict[str, Any]:
    return {
        "serviceAccountName": agent.app,
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "tolerations": [{"operator": "Exists"}],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "terminationGracePeriodSeconds": 5,
        "containers": [
            {
                "name": agent.app,
                "imagePullPolicy": "IfNotPresent",
                "env": [*agent.environment, *agent.api.variables()],
                **agent.container,
            }
        ],
        "volumes": list(agent.volumes),
    }
