"""The resources of hosts, as a Pulumi program uses them.

Every resource takes `host={"name": ..., "address": ...}`. The name is the host's identity: under another name it is
another host. All resources need a `Provider` that says how hosts are entered, given in their options or inherited from
their parent.
"""

from edgehost.address import HostAddress
from edgehost.client.cluster import ClusterAccess, ClusterMember
from edgehost.client.container_images import ContainerImages
from edgehost.client.control_plane import ControlPlane
from edgehost.client.facts import get_facts, get_facts_output
from edgehost.client.file import Artifact, File
from edgehost.client.host_resource import HostArgs, HostResource
from edgehost.client.model import ModelVersion
from edgehost.client.node_release import NodeRelease
from edgehost.client.provider import Provider
from edgehost.client.system import CgroupControllers, KernelFeatures, Packages, SwapOff, Sysctls
from edgehost.client.unit import Unit
from edgehost.host_facts import HostFacts, HostNetwork
from edgehost.route import Route
from edgehost.versions import KubernetesVersion

__all__ = [
    "Artifact",
    "CgroupControllers",
    "ClusterAccess",
    "ClusterMember",
    "ContainerImages",
    "ControlPlane",
    "File",
    "HostAddress",
    "HostArgs",
    "HostFacts",
    "HostNetwork",
    "HostResource",
    "KernelFeatures",
    "KubernetesVersion",
    "ModelVersion",
    "NodeRelease",
    "Packages",
    "Provider",
    "Route",
    "SwapOff",
    "Sysctls",
    "Unit",
    "get_facts",
    "get_facts_output",
]
