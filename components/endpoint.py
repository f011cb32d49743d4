"""The endpoint of a site: the proxy, reachable from outside on a port of every node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import yaml
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, Service
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components import pods
from components.access import MountedAccess, access_config, issuer_egress, mount_access, scheme
from components.access_files import AccessFiles
from components.artifacts import ArtifactSource
from components.cluster import PROXY_IMAGE
from components.handles import Endpoint, Host, ServedModel, Workspace
from components.located import image_reference
from components.serving import GRPC_PORT, PROXY
from components.site import Endpoint as EndpointSettings

HTTP_PORT = 8080
CONFIG_FOLDER = "/etc/proxy"


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
        host = args.workspace.worker_for({}).host
        access = mount_access(name, metadata, args.access, self._common)
        spec: Any = _deployment_spec(args, host, data, access)
        deployment = Deployment(
            f"{name}-deployment",
            metadata=metadata,
            spec=spec,
            opts=pulumi.ResourceOptions.merge(
                self._common, pulumi.ResourceOptions(depends_on=[config, *access.needs, *args.workspace.ready_by])
            ),
        )
        self.endpoint = Endpoint(
            url=host.address.apply(lambda address: f"{scheme(args.settings)}://{address}:{args.settings.port_number}"),
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


def config_data(settings: EndpointSettings, models: Sequence[ServedModel]) -> dict[str, str]:
    """Return the proxy's configuration, the models' cards and their labels, one key each."""
    config = {
        "listen": {"address": "0.0.0.0", "port-number": HTTP_PORT},
        "limits": {
            "max-body-mib": settings.max_body_mib,
            "max-pixels": settings.max_pixels,
            "max-in-flight": settings.max_in_flight,
        },
        "deadline-seconds": settings.deadline_seconds,
        "drain-seconds": settings.drain_seconds,
        **access_config(settings),
        "models": [
            {"name": model.name, "target": model.target, "card": f"{CONFIG_FOLDER}/models/{model.name}/model.yaml"}
            for model in models
        ],
    }
    cards = {f"{model.name}.yaml": model.card for model in models}
    labels = {f"{model.name}.labels.txt": model.labels for model in models if model.labels is not None}
    return {"proxy.yaml": yaml.safe_dump(config, sort_keys=False), **cards, **labels}


def _places(models: Sequence[ServedModel]) -> list[dict[str, str]]:
    """Return where each key of the configuration appears as a file; a card finds its labels beside it."""
    places = [{"key": "proxy.yaml", "path": "proxy.yaml"}]
    for model in models:
        places.append({"key": f"{model.name}.yaml", "path": f"models/{model.name}/model.yaml"})
        if model.labels_name is not None:
            places.append({"key": f"{model.name}.labels.txt", "path": f"models/{model.name}/{model.labels_name}"})
    return places


def _deployment_spec(
    args: InferenceEndpointArgs, host: Host, data: dict[str, str], access: MountedAccess
) -> dict[str, Any]:
    settings = args.settings
    probe = {"port": "http", "scheme": scheme(settings).upper()}
    return pods.deployment_spec(
        PROXY,
        container={
            "name": "proxy",
            "image": image_reference(args.artifacts, host, PROXY_IMAGE),
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
        volumes=[{"name": "config", "configMap": {"name": PROXY, "items": _places(args.models)}}, *access.volumes],
        replicas=settings.replicas,
        node_selector=pods.on_architecture(host),
        off_the_server=args.workspace.spares_server,
        config_text="\0".join(f"{key}={data[key]}" for key in sorted(data)),
        termination_seconds=settings.drain_seconds + 10,
    )


def _policy(args: InferenceEndpointArgs) -> Any:
    """Return who may ask the proxy (everyone) and whom it may ask (the models, the cluster's DNS, a tokens' issuer)."""
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
        ],
    }
