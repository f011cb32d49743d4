"""flannel: a network of pods over VXLAN."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap

from components.node_agents import NAMESPACE, Api, NodeAgent, run_on_every_node
from components.texts import text

IMAGE = "ghcr.io/flannel-io/flannel:v0.28.4"
APP = "flannel"
CNI_FOLDER = "/run/kubevc-cni"
"""Where a node's container runtime looks for its network; nothing in it outlives a boot."""
CNI_CONFIG = f"{CNI_FOLDER}/10-flannel.conflist"


@dataclass(frozen=True, kw_only=True)
class FlannelArgs:
    """What the network is made of."""

    pod_cidr: IPv4Network
    """Addresses of pods."""
    api: Api
    """Where it asks the API."""


class Flannel(pulumi.ComponentResource):
    """Give each node a part of the pods' addresses and send packets to the node that has them.

    The plugin is a file of the host. Its configuration is written by flannel when the node's network is there: a node
    is Ready from then on and not before, at its first start as after a boot. Pods that come to a node too early fail,
    and are tried again only after ten seconds or more.
    """

    def __init__(self, name: str, args: FlannelArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:flannel:Flannel", name, None, opts)
        options = pulumi.ResourceOptions(parent=self)
        metadata: Any = {"name": APP, "namespace": NAMESPACE}
        config = ConfigMap(f"{name}-config", metadata=metadata, data={"net-conf.json": _network(args)}, opts=options)
        after = pulumi.ResourceOptions(parent=self, depends_on=[config])
        run_on_every_node(name, _agent(args), after)
        self.register_outputs({})


def _network(args: FlannelArgs) -> str:
    return json.dumps({"Network": str(args.pod_cidr), "EnableNFTables": False, "Backend": {"Type": "vxlan"}})


def _agent(args: FlannelArgs) -> NodeAgent:
    return NodeAgent(
        app=APP,
        rules=[
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch"]},
        ],
        container={
            "image": IMAGE,
            "command": ["/opt/bin/flanneld"],
            # The interface of the node's own address: a host may have others with a default route.
            "args": ["--ip-masq", "--kube-subnet-mgr", "--iface=$(HOST_IP)"],
            "lifecycle": {"postStart": _shell(text("flannel-ready.sh"))},
            # Somebody who takes the configuration away gets it back.
            "livenessProbe": {
                **_shell(f"[ -s {CNI_CONFIG} ]"),
                "periodSeconds": 60,
                "timeoutSeconds": 10,
                "failureThreshold": 1,
            },
            "securityContext": {"privileged": False, "capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
            "resources": {"requests": {"cpu": "50m", "memory": "50Mi"}},
            "volumeMounts": [
                {"name": "run", "mountPath": "/run/flannel"},
                {"name": "cni", "mountPath": CNI_FOLDER},
                {"name": "config", "mountPath": "/etc/kube-flannel"},
                {"name": "lock", "mountPath": "/run/xtables.lock"},
            ],
        },
        environment=[
            _field("POD_NAME", "metadata.name"),
            _field("POD_NAMESPACE", "metadata.namespace"),
            _field("HOST_IP", "status.hostIP"),
            {"name": "CNI_CONFIG", "value": text("flannel.conflist")},
            {"name": "CNI_CONFIG_PATH", "value": CNI_CONFIG},
        ],
        api=args.api,
        volumes=[
            {"name": "run", "hostPath": {"path": "/run/flannel", "type": "DirectoryOrCreate"}},
            {"name": "cni", "hostPath": {"path": CNI_FOLDER, "type": "DirectoryOrCreate"}},
            {"name": "lock", "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}},
            {"name": "config", "configMap": {"name": APP}},
        ],
    )


def _shell(script: str) -> dict[str, Any]:
    return {"exec": {"command": ["sh", "-c", script]}}


def _field(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
