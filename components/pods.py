"""What every pod of a site has in common: no privileges, nothing written but /tmp, placed on workers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.workloads import ARCHITECTURE_LABEL, kubernetes_architecture

NOBODY = 65534
TEMPORARY_MIB = 64


def labels(app: str) -> dict[str, str]:
    """Return the labels by which Services and policies find the pods of an app."""
    return {"app.kubernetes.io/name": app, "app.kubernetes.io/managed-by": "kubevc"}


def selector(app: str) -> dict[str, str]:
    """Return the label that selects the pods of an app."""
    return {"app.kubernetes.io/name": app}


def deployment_spec(
    app: str,
    *,
    container: Mapping[str, Any],
    volumes: Sequence[Mapping[str, Any]],
    replicas: int,
    node_selector: Mapping[str, str],
    architectures: pulumi.Output[Sequence[str]],
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
        architectures: Architectures that the image is there for, by Debian's names; a node must have one of them.
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
                "affinity": _affinity(architectures, off_the_server=off_the_server),
                "containers": [_restricted(container)],
                "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": f"{TEMPORARY_MIB}Mi"}}, *volumes],
            },
        },
    }


def _affinity(architectures: pulumi.Output[Sequence[str]], *, off_the_server: bool) -> dict[str, Any]:
    names = architectures.apply(lambda names: [kubernetes_architecture(name) for name in names])
    expressions: list[dict[str, Any]] = [{"key": ARCHITECTURE_LABEL, "operator": "In", "values": names}]
    if off_the_server:
        expressions.append({"key": "node-role.kubernetes.io/control-plane", "operator": "DoesNotExist"})
    terms = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


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
