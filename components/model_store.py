"""The models on the store: published over SSH, mounted by pods over NFS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.core.v1 import PersistentVolume, PersistentVolumeClaim

from components.handles import Host, ModelVolume, Workspace
from components.site import ModelStore
from components.sources import ModelSource
from edgehost import client

VOLUME = "models"


@dataclass(frozen=True, kw_only=True)
class PublishedModelsArgs:
    """What is published, and where."""

    host: Host
    """The store's host."""
    store: ModelStore
    """The store, as the site describes it."""
    sources: Sequence[ModelSource]
    """Models as they lie on this machine."""
    workspace: Workspace
    """Namespace of the claim."""


class PublishedModels(pulumi.ComponentResource):
    """Publish every version of every model, and give pods a read-only volume with all of them."""

    volume: ModelVolume

    def __init__(self, name: str, args: PublishedModelsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:model_store:PublishedModels", name, None, opts)
        versions = {source.name: self._publish(name, args, source) for source in args.sources}
        self.volume = ModelVolume(
            claim_name=self._claim(name, args),
            published={model: _hash_of(published) for model, published in versions.items()},
            published_by=tuple(version for published in versions.values() for version in published),
        )
        self.register_outputs({})

    def _publish(self, name: str, args: PublishedModelsArgs, source: ModelSource) -> list[client.ModelVersion]:
        return [
            client.ModelVersion(
                f"{name}-{source.name}-{version}",
                host=args.host.reference,
                model=source.name,
                version=int(version),
                source_directory=str(folder),
                store_path=args.store.path,
                opts=pulumi.ResourceOptions(parent=self, provider=args.host.provider),
            )
            for version, folder in source.versions.items()
        ]

    def _claim(self, name: str, args: PublishedModelsArgs) -> pulumi.Output[str]:
        options = pulumi.ResourceOptions(parent=self, provider=args.workspace.provider)
        volume = PersistentVolume(
            f"{name}-volume",
            metadata=_metadata({"name": VOLUME}),
            spec=_volume_spec(args.store, args.workspace.namespace),
            opts=options,
        )
        claim = PersistentVolumeClaim(
            f"{name}-claim",
            metadata=_metadata({"name": VOLUME, "namespace": args.workspace.namespace}),
            spec=_claim_spec(args.store, volume),
            opts=options,
        )
        return claim.metadata.apply(lambda metadata: str(metadata.name))


def _metadata(metadata: dict[str, pulumi.Input[str]]) -> Any:
    # The cluster binds the two while other work goes on; a pod that mounts them waits for it by itself.
    return {**metadata, "annotations": {"pulumi.com/skipAwait": "true"}}


def _volume_spec(store: ModelStore, namespace: pulumi.Output[str]) -> Any:
    return {
        "capacity": {"storage": f"{store.capacity_gib}Gi"},
        "accessModes": ["ReadOnlyMany"],
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "",
        "mountOptions": [*store.mount_options, "ro"],
        # The volume is for this claim only: another claim could otherwise take it first.
        "claimRef": {"namespace": namespace, "name": VOLUME},
        "nfs": {"server": str(store.address), "path": store.path, "readOnly": True},
    }


def _claim_spec(store: ModelStore, volume: PersistentVolume) -> Any:
    return {
        "accessModes": ["ReadOnlyMany"],
        "storageClassName": "",
        "volumeName": volume.id,
        "resources": {"requests": {"storage": f"{store.capacity_gib}Gi"}},
    }


def _hash_of(versions: Sequence[client.ModelVersion]) -> pulumi.Output[str]:
    """Return one hash over the manifests of all versions."""
    manifests = pulumi.Output.all(*(version.manifest for version in versions))
    return manifests.apply(lambda known: hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest())
