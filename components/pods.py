"""What every pod of a site has in common: no privileges, nothing written but /tmp, placed on workers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.handles import Host

NOBODY = 65534
TEMPORARY_MIB = 64
KUBERNETES_ARCHITECTURES = {"armhf": "arm"}
"""Debian's names of architectures to Kubernetes', where they differ."""


def labels(app: str) -> dict[str, str]:
    """Return the labels by which Services and policies find the pods of an app."""
    return {"app.kubernetes.io/name": app, "app.kubernetes.io/managed-by": "kubevc"}


def selector(app: str) -> dict[str, str]:
    """Return the label that selects the pods of an app."""
    return {"app.kubernetes.io/name": app}


def on_architecture(host: Host) -> dict[str, pulumi.Output[str]]:
    """Return the node selector for a host's architecture: an image in an archive is for one architecture only."""
    return {"kubernetes.io/arch": host.architecture.apply(lambda name: KUBERNETES_ARCHITECTURES.get(name, name))}


def deployment_spec(
    app: str,
    *,
    container: Mapping[str, Any],
    volumes: Sequence[Mapping[str, Any]],
    replicas: int,
    node_selector: Mapping[str, pulumi.Input[str]],
    off_the_server: bool,
    config_text: str,
    termination_seconds: int,
) -> dict[str, Any]:
    """Return the spec of a Deployment of one restricted container.

    Args:
        app: Name of the app; its pods carry it as a label.
        container: The container, without what is common to all.
        volumes: Volumes besides the temporary one.
        replicas: Number of pods.
        node_selector: Labels that a node must have.
        off_the_server: Whether the server of the site is kept free of workloads.
        config_text: What the program reads only when it starts; another text means new pods.
        termination_seconds: Time between the request to stop and the end.
    """
    return {
        "replicas": replicas,
        "selector": {"matchLabels": selector(app)},
        # A new pod answers before an old one goes.
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {
            "metadata": {
                "labels": labels(app),
                "annotations": {"kubevc.io/config-sha256": hashlib.sha256(config_text.encode()).hexdigest()},
            },
            "spec": {
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "terminationGracePeriodSeconds": termination_seconds,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": NOBODY,
                    "runAsGroup": NOBODY,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "nodeSelector": {"kubernetes.io/os": "linux", **node_selector},
                **(_OFF_THE_SERVER if off_the_server else {}),
                "containers": [_restricted(container)],
                "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": f"{TEMPORARY_MIB}Mi"}}, *volumes],
            },
        },
    }


_OFF_THE_SERVER = {
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "node-role.kubernetes.io/control-plane", "operator": "DoesNotExist"}]}
                ]
            }
        }
    }
}


def _restricted(container: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **container,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, *container.get("volumeMounts", [])],
    }


def ready_hash(spec: Mapping[str, Any], deployment: pulumi.CustomResource) -> pulumi.Output[str]:
    """Return a hash of a Deployment's spec that resolves when its pods are ready."""
    known: pulumi.Output[Any] = pulumi.Output.from_input(spec)
    both = pulumi.Output.all(known, deployment.id)
    return both.apply(lambda values: hashlib.sha256(json.dumps(values[0], sort_keys=True).encode()).hexdigest())
