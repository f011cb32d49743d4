"""A site as its file describes it: frozen, typed, without defaults hidden elsewhere.

The keys of the file are the field names in kebab-case. The text below each field is the configuration reference and
the editor's help (`python -m components.reference`). Rules between fields are in `rules.py`; what needs a look at the
file system is in `sources.py`. Nothing here knows Pulumi.
"""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from components.endpoint_settings import Endpoint
from components.part import Name, Part, PortNumber, SitePath

OFFICIAL_TABLE = Path(__file__).parent / "artifacts.lock.yaml"
API_PORT = 6443
"""Where a server's API answers, whatever the distribution."""
Architecture = Literal["amd64", "arm64", "armhf"]


class Ssh(Part):
    """How the hosts are entered."""

    user: str = "root"
    """User on every host. Another one than root needs `sudo` without a password."""
    port_number: PortNumber = 22
    """TCP port of the hosts' SSH server."""
    private_key_file: SitePath
    """Private key, readable only by you. Only its path is in the configuration and the state."""
    known_hosts_file: SitePath
    """Pinned host keys, in OpenSSH's format. A host that shows another key is refused before anything is sent."""
    connect_timeout_seconds: Annotated[int, Field(ge=1, le=120)] = 5
    """Seconds after which a host that does not answer counts as unreachable."""


class Artifacts(Part):
    """Where the hosts get the files that no package provides."""

    lock_files: tuple[SitePath, ...] = ()
    """Tables of artifacts with their sha256. The first table that has an artifact decides. Empty means the official
    k3s releases, which are listed in `components/artifacts.lock.yaml`."""
    mirror: Annotated[str, Field(pattern=r"^https?://")] | None = None
    """Address below which relative URLs of the tables are found. Without it, relative entries are files beside
    their table and are uploaded over SSH."""

    @property
    def tables(self) -> tuple[Path, ...]:
        """Return the tables to ask, in order."""
        return self.lock_files or (OFFICIAL_TABLE,)


class Containerd(Part):
    """Settings of the container runtime."""

    restrict_oom_score_adj: bool = False
    """Never lower a container's OOM score. Only for hosts whose root lacks CAP_SYS_RESOURCE, such as containers used
    as hosts; without it, no pod starts there."""


class Kubelet(Part):
    """Settings of the node agent, for every node."""

    image_gc_high_threshold_percent: Annotated[int, Field(ge=1, le=100)] = 85
    """Disk use above which unused images are deleted. 100 never deletes any."""
    image_gc_low_threshold_percent: Annotated[int, Field(ge=0, le=99)] = 80
    """Disk use down to which unused images are deleted."""
    eviction_hard: dict[str, str] = Field(default_factory=dict)
    """Thresholds below which pods are evicted at once, such as `nodefs.available: 100Mi`. Empty leaves the
    Kubernetes defaults, which are shares of the whole disk."""


class Kubernetes(Part):
    """The cluster."""

    distribution: Literal["k3s", "kubeadm"] = "k3s"
    """How the cluster is made."""
    version: Annotated[str, Field(pattern=r"^v\d+\.\d+\.\d+(\+k3s\d+)?$")]
    """Version with its leading v, such as `v1.34.3+k3s1` for k3s or `v1.34.1` for kubeadm. A table of artifacts must
    have it for each architecture. Another version than the running one is an upgrade, one minor version at a time."""
    api_access: Literal["direct", "ssh"] = "direct"
    """How this machine reaches the API. `direct`: at the server's address. `ssh`: only SSH gets there, so every command
    opens a tunnel through the server's SSH for as long as it runs (docs/private-api.md)."""
    pod_cidr: IPv4Network = IPv4Network("10.42.0.0/16")
    """Addresses of pods. Must overlap neither services nor hosts."""
    service_cidr: IPv4Network = IPv4Network("10.43.0.0/16")
    """Addresses of Services."""
    container_runtime: Literal["bundled", "packages"] = "bundled"
    """`bundled`: the runtime inside an official k3s release. `packages`: the hosts' own containerd, runc and CNI
    plugins from their packages, for kubeadm, and for a k3s built without them."""
    preloaded_images: tuple[str, ...] = ()
    """Artifacts with container images that every node has before the cluster starts, such as `image-pause`. For sites
    that reach no registry. The images of models and endpoint are always preloaded."""
    containerd: Containerd = Containerd()
    """Settings of the container runtime."""
    kubelet: Kubelet = Kubelet()
    """Settings of the node agent."""
    ready_timeout_seconds: Annotated[int, Field(ge=60, le=3600)] = 300
    """Seconds that a node may take from the start of its service to being Ready. Before that it imports the preloaded
    images, which takes minutes from a slow disk."""
    conntrack_max_per_core: Annotated[int, Field(ge=0)] | None = None
    """Connections tracked per CPU core, set by kube-proxy; 0 leaves the kernel's limit alone (needed where a host
    cannot change it). Empty means the Kubernetes default."""

    @property
    def networks(self) -> dict[str, str]:
        """Return the networks that a cluster has for life, by what they are for."""
        return {"pods": str(self.pod_cidr), "services": str(self.service_cidr)}


class Node(Part):
    """A host that becomes a node of the cluster."""

    name: Name
    """Name of the host and of the Kubernetes node."""
    address: IPv4Address
    """Address under which you and the other nodes reach the host."""
    role: Literal["server", "agent"]
    """`server` runs the control plane; `agent` runs workloads. Without any agent, the servers run them too. k3s has
    one server, kubeadm one or three."""
    architecture: Architecture | None = None
    """CPU architecture. Empty means: as the host says. Give it to preview a host that is not there yet."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Kubernetes labels, for the `node-selector` of models."""

    @property
    def api_url(self) -> str:
        """Return the address at which the API answers and nodes join, where the node is a server."""
        return f"https://{self.address}:{API_PORT}"


class ModelStore(Part):
    """The NFS server that holds the models."""

    kind: Literal["nfs"] = "nfs"
    """Protocol of the store."""
    name: Name
    """Name of the host."""
    address: IPv4Address
    """Address under which you and the nodes reach it. Models are published over SSH, and read over NFS."""
    path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._-]+)+$")]
    """Folder on the store that is exported."""
    capacity_gib: Annotated[int, Field(ge=1)] = 10
    """Size that the PersistentVolume states."""
    mount_options: tuple[str, ...] = ("nfsvers=4.1", "hard")
    """Options of the nodes' mounts; `ro` is always added."""


class Model(Part):
    """A model that is served."""

    name: Name
    """Name of the servable, in `/v1/models/NAME` and in the protocol."""
    framework: Literal["tensorflow-serving", "modelserver"]
    """`tensorflow-serving`: Google's official image (amd64 only). `modelserver`: this project's server of the same
    protocol, for any architecture and small nodes."""
    source: SitePath
    """Folder with `model.yaml` and one folder per version (a number) that holds a SavedModel."""
    replicas: Annotated[int, Field(ge=1)] = 1
    """Number of servers."""
    memory_mib: Annotated[int, Field(ge=16)] = 700
    """Memory that a server may use; it is also what the scheduler reserves."""
    cpu_millicores: Annotated[int, Field(ge=1)] = 100
    """CPU that the scheduler reserves; a server may use more when it is free."""
    node_selector: dict[str, str] = Field(default_factory=dict)
    """Labels that a node must have. Empty means any node that runs workloads."""


class Smoke(Part):
    """The request that proves the site: sent last, and its answer checked."""

    model: Name
    """Name of the model that is asked."""
    picture: SitePath
    """Picture to send, JPEG or PNG."""
    timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    """Time until the first good answer."""
    key_file: SitePath | None = None
    """File with the API key or token to send, where the endpoint asks for one; its content is in no state. Empty means
    the environment variable KUBEVC_KEY."""
    client_certificate_file: SitePath | None = None
    """Certificate to show, where the endpoint asks for one."""
    client_private_key_file: SitePath | None = None
    """Its private key."""


class Site(Part):
    """One edge inference site."""

    name: Name
    """Name of the site. It identifies the cluster: another name means another cluster."""
    ssh: Ssh
    """How the hosts are entered."""
    artifacts: Artifacts = Artifacts()
    """Where the hosts get the files that no package provides."""
    kubernetes: Kubernetes
    """The cluster."""
    nodes: Annotated[tuple[Node, ...], Field(min_length=1)]
    """Hosts that become nodes."""
    model_store: ModelStore
    """The NFS server that holds the models."""
    models: Annotated[tuple[Model, ...], Field(min_length=1)]
    """Models that are served."""
    endpoint: Endpoint = Endpoint()
    """The proxy that answers HTTP requests."""
    smoke: Smoke
    """The request that proves the site."""

    @property
    def server(self) -> Node:
        """Return the node that starts the cluster."""
        return self.servers[0]

    @property
    def servers(self) -> tuple[Node, ...]:
        """Return the nodes of the control plane."""
        return tuple(node for node in self.nodes if node.role == "server")

    @property
    def agents(self) -> tuple[Node, ...]:
        """Return the nodes that join it."""
        return tuple(node for node in self.nodes if node.role == "agent")

    @property
    def workers(self) -> tuple[Node, ...]:
        """Return the nodes that run workloads: the agents, or the servers of a site that has none."""
        return self.agents or self.servers


def parse(data: Any, *, project: Path, cache: Path) -> Site:
    """Read a site from plain data.

    Strict reading goes through JSON, where an address or a path is text, but a number in quotes is not a number.

    Args:
        data: The content of `kubevc:site`, as YAML or JSON gives it.
        project: Folder that relative paths are below.
        cache: Value of `${KUBEVC_CACHE}` in paths.

    Raises:
        pydantic.ValidationError: Keys or values are wrong; `load.py` words them for people.
    """
    return Site.model_validate_json(json.dumps(data, default=str), context={"project": project, "cache": cache})
