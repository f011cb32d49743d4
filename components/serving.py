"""A model served in the cluster: one server of the TensorFlow Serving protocol per model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, Service
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components import pods
from components.artifacts import ArtifactSource
from components.frameworks import framework_of
from components.frameworks.framework import Framework
from components.handles import ModelVolume, ServedModel, Workspace
from components.ordering import after
from components.placement import place
from components.site import Model
from components.sources import ModelSource
from components.workloads import server_of

GRPC_PORT = 8500
REST_PORT = 8501
MODELS_FOLDER = "/models"
CONFIG_FOLDER = "/etc/serving"
NEW_VERSION_SECONDS = 2
"""How often a server looks for new versions on the store."""
CONFIG_SECONDS = 10
"""How often it reads its list of models again."""
STOP_SECONDS = 30
PROXY = "proxy"
"""App that alone may ask a model server."""


@dataclass(frozen=True, kw_only=True)
class ModelServerArgs:
    """What a server is made of."""

    model: Model
    """The model, as the site describes it."""
    source: ModelSource
    """The model, as it lies on this machine."""
    volume: ModelVolume
    """Where the server reads it."""
    workspace: Workspace
    """Namespace and provider."""
    artifacts: ArtifactSource
    """Tables that say which image a framework has."""


class ModelServer(pulumi.ComponentResource):
    """Serve one model; it is ready when the model answers, not when a program runs."""

    served: ServedModel

    def __init__(self, name: str, args: ModelServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:serving:ModelServer", name, None, opts)
        app = f"model-{args.model.name}"
        self._common = pulumi.ResourceOptions(parent=self, provider=args.workspace.provider)
        metadata: Any = {"name": app, "namespace": args.workspace.namespace, "labels": pods.labels(app)}
        config = ConfigMap(f"{name}-config", metadata=metadata, data=_config_data(args.model.name), opts=self._common)
        self._expose(name, app, metadata)
        spec: Any = _deployment_spec(app, args)
        deployment = Deployment(
            f"{name}-deployment",
            metadata=metadata,
            spec=spec,
            opts=after(self._common, [config, *args.volume.published_by, *args.workspace.ready_by]),
        )
        self.served = _served(app, args, pods.ready_hash(spec, deployment))
        self.register_outputs({})

    def _expose(self, name: str, app: str, metadata: Any) -> None:
        """Give the server a name, and let nobody but the proxy use it."""
        service: Any = {
            # Clients see every replica and spread requests over them.
            "clusterIP": "None",
            "selector": pods.selector(app),
            "ports": [{"name": "grpc", "port": GRPC_PORT}, {"name": "rest", "port": REST_PORT}],
        }
        policy: Any = {
            "podSelector": {"matchLabels": pods.selector(app)},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{"podSelector": {"matchLabels": pods.selector(PROXY)}}],
                    "ports": [{"protocol": "TCP", "port": GRPC_PORT}],
                }
            ],
        }
        # Its readiness is the Deployment's; waiting for endpoints here would wait for the same pods twice.
        unwaited: Any = {**metadata, "annotations": {"pulumi.com/skipAwait": "true"}}
        Service(f"{name}-service", metadata=unwaited, spec=service, opts=self._common)
        NetworkPolicy(f"{name}-policy", metadata=metadata, spec=policy, opts=self._common)


def models_config(model: str) -> str:
    """Return the server's list of models, as a ModelServerConfig in protobuf's text form."""
    return (
        "model_config_list {\n"
        "  config {\n"
        f'    name: "{model}"\n'
        f'    base_path: "{MODELS_FOLDER}/{model}"\n'
        '    model_platform: "tensorflow"\n'
        "  }\n"
        "}\n"
    )


def _config_data(model: str) -> dict[str, str]:
    return {"models.config": models_config(model)}


def _deployment_spec(app: str, args: ModelServerArgs) -> dict[str, Any]:
    placed = place(server_of(args.model), args.workspace.workers, args.artifacts)
    image = placed.apply(lambda placement: placement.image)
    return pods.deployment_spec(
        app,
        container=_container(args.model, framework_of(args.model.framework), image),
        volumes=[
            {"name": "config", "configMap": {"name": app}},
            {"name": "models", "persistentVolumeClaim": {"claimName": args.volume.claim_name, "readOnly": True}},
        ],
        replicas=args.model.replicas,
        node_selector=args.model.node_selector,
        architectures=placed.apply(lambda placement: placement.architectures),
        off_the_server=args.workspace.spares_server,
        # The server reads its list of models again by itself.
        config_text="",
        termination_seconds=STOP_SECONDS,
    )


def _container(model: Model, framework: Framework, image: pulumi.Input[str]) -> dict[str, Any]:
    return {
        "name": "server",
        "image": image,
        "command": list(framework.command),
        "args": [
            f"--port={GRPC_PORT}",
            f"--rest_api_port={REST_PORT}",
            f"--model_config_file={CONFIG_FOLDER}/models.config",
            f"--model_config_file_poll_wait_seconds={CONFIG_SECONDS}",
            f"--file_system_poll_wait_seconds={NEW_VERSION_SECONDS}",
        ],
        "ports": [{"name": "grpc", "containerPort": GRPC_PORT}, {"name": "rest", "containerPort": REST_PORT}],
        "resources": {
            "requests": {"cpu": f"{model.cpu_millicores}m", "memory": f"{model.memory_mib}Mi"},
            "limits": {"memory": f"{model.memory_mib}Mi"},
        },
        **_probes(model.name),
        "volumeMounts": [
            {"name": "config", "mountPath": CONFIG_FOLDER, "readOnly": True},
            {"name": "models", "mountPath": MODELS_FOLDER, "readOnly": True},
        ],
    }


def _probes(model: str) -> dict[str, Any]:
    """Return probes that ask the server's memory: a store that hangs must not make kubelet kill a server.

    A model's metadata exists only once a version of it is loaded; its status exists before, and says so in its text,
    which a probe does not read.
    """
    return {
        "readinessProbe": {
            "httpGet": {"path": f"/v1/models/{model}/metadata", "port": "rest"},
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
        "livenessProbe": {
            "tcpSocket": {"port": "grpc"},
            "initialDelaySeconds": 60,
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        },
    }


def _served(app: str, args: ModelServerArgs, ready: pulumi.Output[str]) -> ServedModel:
    return ServedModel(
        name=args.model.name,
        target=f"dns:///{app}.serving.svc.cluster.local:{GRPC_PORT}",
        card=args.source.card,
        files=args.source.files,
        ready=ready,
    )
