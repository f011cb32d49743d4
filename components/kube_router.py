"""kube-router's firewall: what enforces network policies where the network itself does not."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi

from components.node_agents import Api, NodeAgent, run_on_every_node

IMAGE = "docker.io/cloudnativelabs/kube-router:v2.1.0"
APP = "kube-router"


@dataclass(frozen=True, kw_only=True)
class KubeRouterArgs:
    """What the firewall needs to know."""

    service_cidr: IPv4Network
    """Addresses of Services."""
    api: Api
    """Where it asks the API."""


class KubeRouter(pulumi.ComponentResource):
    """Refuse on each node what no NetworkPolicy allows; routes and Services are others' work."""

    def __init__(self, name: str, args: KubeRouterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:kube_router:KubeRouter", name, None, opts)
        run_on_every_node(name, _agent(args), pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def _agent(args: KubeRouterArgs) -> NodeAgent:
    return NodeAgent(
        app=APP,
        rules=[
            {
                "apiGroups": [""],
                "resources": ["namespaces", "pods", "services", "nodes", "endpoints"],
                "verbs": ["get", "list", "watch"],
            },
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["get", "list", "watch"]},
        ],
        container={
            "image": IMAGE,
            "args": [
                "--run-router=false",
                "--run-service-proxy=false",
                "--run-firewall=true",
                f"--service-cluster-ip-range={args.service_cidr}",
                "--iptables-sync-period=5m",
            ],
            # Sets and rules of the host, and the kernel's settings of bridged packets.
            "securityContext": {"privileged": True},
            "resources": {"requests": {"cpu": "50m", "memory": "50Mi"}},
            "volumeMounts": [
                {"name": "modules", "mountPath": "/lib/modules", "readOnly": True},
                {"name": "lock", "mountPath": "/run/xtables.lock"},
            ],
        },
        environment=[{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        api=args.api,
        volumes=[
            {"name": "modules", "hostPath": {"path": "/lib/modules", "type": "DirectoryOrCreate"}},
            {"name": "lock", "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}},
        ],
    )
