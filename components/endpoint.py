"""The endpoint of a site: the proxy, reachable from outside on a port of every node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, Service
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components import pods
from components.access import MountedAccess, issuer_egress, mount_access, scheme
from components.access_files import AccessFiles
from components.artifacts import ArtifactSource
from components.endpoint_settings import Endpoint as EndpointSettings
from components.handles import Endpoint, ServedModel, Workspace
from components.ordering import after
from components.placement import place
from components.proxy_config import CONFIG_FOLDER, HTTP_PORT, config_data, config_items, outward_rules
from components.serving import GRPC_PORT, PROXY
from components.workloads import PROXY_WORKLOAD


@dataclass(frozen=True, kw_only=True)
class InferenceEndpointArgs:
    """What an endpoint is made of."""

    settings: EndpointSettings
    """The endpoint, as the site describes it."""
    models: Sequence[ServedModel]
    """Models that it answers for."""
    workspace: Workspace
    """Namespace and provider."""
    artifacts: ArtifactSource
    """Tables that say which image the proxy has."""
    access: AccessFiles
    """Keys and certificates."""


class InferenceEndpoint(pulumi.ComponentResource):
    """Answer HTTP requests for every model of the site."""

    endpoint: Endpoint

    def __init__(self, name: str, args: InferenceEndpointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:endpoint:InferenceEndpoint", name, None, opts)
        self._common = pulumi.ResourceOptions(parent=self, provider=args.workspace.provider)
        metadata: Any = {"name": PROXY, "namespace": args.workspace.namespace, "labels": pods.labels(PROXY)}
        data = config_data(args.settings, args.models)
        config = ConfigMap(f"{name}-config", metadata=metadata, data=data, opts=self._common)
        self._expose(name, metadata, args)
        access = mount_access(name, metadata, args.access, self._common)
        spec: Any = _deployment_spec(args, data, access)
        deployment = Deployment(
            f"{name}-deployment",
            metadata=metadata,
            spec=spec,
            opts=after(self._common, [config, *access.needs, *args.workspace.ready_by]),
        )
        self.endpoint = Endpoint(
            url=args.workspace.workers[0].host.address.apply(
                lambda address: f"{scheme(args.settings)}://{address}:{args.settings.port_number}"
            ),
            certificate_file=args.settings.tls and args.settings.tls.certificate_file,
            ready=pods.ready_hash(spec, deployment),
        )
        self.register_outputs({})

    def _expose(self, name: str, metadata: Any, args: InferenceEndpointArgs) -> None:
        service: Any = {
            "type": "NodePort",
            "selector": pods.selector(PROXY),
            "ports": [{"name": "http", "port": HTTP_PORT, "nodePort": args.settings.port_number}],
        }
        # Its readiness is the Deployment's; waiting for endpoints here would wait for the same pods twice.
        unwaited: Any = {**metadata, "annotations": {"pulumi.com/skipAwait": "true"}}
        Service(f"{name}-service", metadata=unwaited, spec=service, opts=self._common)
        NetworkPolicy(f"{name}-policy", metadata=metadata, spec=_policy(args), opts=self._common)


def _deployment_spec(args: InferenceEndpointArgs, data: dict[str, str], access: MountedAccess) -> dict[str, Any]:
    settings = args.settings
    placed = place(PROXY_WORKLOAD, args.workspace.workers, args.artifacts)
    probe = {"port": "http", "scheme": scheme(settings).upper()}
    return pods.deployment_spec(
        PROXY,
        container={
            "name": "proxy",
            "image": placed.apply(lambda placement: placement.image),
            "args": ["--config", f"{CONFIG_FOLDER}/proxy.yaml"],
            "ports": [{"name": "http", "containerPort": HTTP_PORT}],
            "resources": {
                "requests": {"cpu": "100m", "memory": "128Mi"},
                "limits": {"memory": f"{settings.memory_mib}Mi"},
            },
            "readinessProbe": {"httpGet": {"path": "/readyz", **probe}, "periodSeconds": 1, "timeoutSeconds": 5},
            "livenessProbe": {
                "httpGet": {"path": "/healthz", **probe},
                "initialDelaySeconds": 60,
                "periodSeconds": 10,
                "timeoutSeconds": 5,
                "failureThreshold": 6,
            },
            "volumeMounts": [{"name": "config", "mountPath": CONFIG_FOLDER, "readOnly": True}, *access.mounts],
        },
        volumes=[{"name": "config", "configMap": {"name": PROXY, "items": config_items(args.models)}}, *access.volumes],
        replicas=settings.replicas,
        node_selector={},
        architectures=placed.apply(lambda placement: placement.architectures),
        off_the_server=args.workspace.spares_server,
        config_text="\0".join(f"{key}={data[key]}" for key in sorted(data)),
        termination_seconds=settings.linger_seconds + settings.drain_seconds + 10,
    )


def _policy(args: InferenceEndpointArgs) -> Any:
    """Return who may ask the proxy (everyone) and whom it may ask (models, DNS, and what the settings name)."""
    return {
        "podSelector": {"matchLabels": pods.selector(PROXY)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"ports": [{"protocol": "TCP", "port": HTTP_PORT}]}],
        "egress": [
            {
                "to": [{"podSelector": {"matchLabels": pods.selector(f"model-{model.name}")}} for model in args.models],
                "ports": [{"protocol": "TCP", "port": GRPC_PORT}],
            },
            {
                "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
                "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
            },
            *issuer_egress(args.settings),
            *outward_rules(args.settings),
        ],
    }
