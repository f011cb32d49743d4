"""The site's namespace, and the provider through which every Kubernetes object goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.handles import ClusterAccess, Worker, Workspace
from components.site import Site

NAMESPACE = "serving"
PATCH_FORCE = "pulumi.com/patchForce"
RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}
"""The strictest of Kubernetes' pod security levels; a pod that asks for more is refused."""

SLOW_KINDS = frozenset({"Deployment", "Namespace", "PersistentVolume", "PersistentVolumeClaim"})
SLOW_DELETION, QUICK_DELETION = "5m", "20s"


@dataclass(frozen=True, kw_only=True)
class SiteWorkspaceArgs:
    """What a workspace is made of."""

    site: Site
    """The site. Its name identifies the cluster: another name means other objects, an unknown kubeconfig does not."""
    access: ClusterAccess
    """The cluster."""
    workers: Sequence[Worker]
    """Nodes that run workloads."""


class SiteWorkspace(pulumi.ComponentResource):
    """Make the namespace in which nothing may talk to anything that a policy does not name."""

    workspace: Workspace

    def __init__(self, name: str, args: SiteWorkspaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        # Resources inherit it when they are made: it must be there before this component and all that follow.
        pulumi.runtime.register_stack_transformation(force_patches)
        pulumi.runtime.register_stack_transformation(bound_deletions)
        super().__init__("kubevc:workspace:SiteWorkspace", name, None, opts)
        provider = kubernetes.Provider(
            f"{name}-kubernetes",
            kubeconfig=args.access.kubeconfig,
            cluster_identifier=args.site.name,
            enable_config_map_mutable=True,
            # Keys and certificates change in place; a Secret that is replaced is missing for a while.
            enable_secret_mutable=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        options = pulumi.ResourceOptions(parent=self, provider=provider)
        metadata: Any = {"name": NAMESPACE, "labels": RESTRICTED}
        namespace = Namespace(f"{name}-namespace", metadata=metadata, opts=options)
        self.workspace = Workspace(
            provider=provider,
            namespace=namespace.id,
            workers=args.workers,
            spares_server=bool(args.site.agents),
        )
        self._deny_all(name, options)
        self.register_outputs({})

    def _deny_all(self, name: str, options: pulumi.ResourceOptions) -> None:
        metadata: Any = {"name": "deny-all", "namespace": self.workspace.namespace}
        spec: Any = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        NetworkPolicy(f"{name}-deny-all", metadata=metadata, spec=spec, opts=options)


def force_patches(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Let an update take back fields that kubectl changed.

    Without the annotation a field with another owner is a conflict, and the preview fails instead of showing drift.
    """
    if not args.type_.startswith("kubernetes:"):
        return None
    metadata: Any = args.props["metadata"]
    annotations = {**metadata.get("annotations", {}), PATCH_FORCE: "true"}
    props = {**args.props, "metadata": {**metadata, "annotations": annotations}}
    return pulumi.ResourceTransformationResult(props, args.opts)


def bound_deletions(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Bound how long the deletion of an object is waited for.

    The Kubernetes plugin may miss that a small object is gone when it goes at once; it then looks again only at the end
    of the time, which is ten minutes if nobody says otherwise. Objects that end pods or volumes need their time.
    """
    if not args.type_.startswith("kubernetes:"):
        return None
    kind = args.type_.rpartition(":")[2]
    timeout = SLOW_DELETION if kind in SLOW_KINDS else QUICK_DELETION
    bounded = pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete=timeout))
    return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, bounded))
