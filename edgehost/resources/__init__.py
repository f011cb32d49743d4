"""The kinds of things on a host, one file each; this table is what the provider serves."""

from typing import Any

from edgehost.resource import Resource
from edgehost.resources.artifact import Artifact
from edgehost.resources.cgroup_controllers import CgroupControllers
from edgehost.resources.cluster_access import ClusterAccess
from edgehost.resources.cluster_member import ClusterMember
from edgehost.resources.container_images import ContainerImages
from edgehost.resources.control_plane import ControlPlane
from edgehost.resources.file import File
from edgehost.resources.kernel_features import KernelFeatures
from edgehost.resources.model_version import ModelVersion
from edgehost.resources.node_release import NodeRelease
from edgehost.resources.packages import Packages
from edgehost.resources.swap_off import SwapOff
from edgehost.resources.sysctls import Sysctls
from edgehost.resources.unit import Unit

KINDS: tuple[Resource[Any, Any], ...] = (
    Packages(),
    KernelFeatures(),
    Sysctls(),
    SwapOff(),
    CgroupControllers(),
    File(),
    Artifact(),
    Unit(),
    ContainerImages(),
    ControlPlane(),
    ClusterAccess(),
    ClusterMember(),
    NodeRelease(),
    ModelVersion(),
)
RESOURCES = {kind.token: kind for kind in KINDS}
