"""The kinds of things on a host, one file each; this table is what the provider serves."""

from typing import Any

from edgehost.resource import Resource
from edgehost.resources.artifact import Artifact
from edgehost.resources.file import File
from edgehost.resources.packages import Packages
from edgehost.resources.sysctls import Sysctls
from edgehost.resources.unit import Unit

KINDS: tuple[Resource[Any, Any], ...] = (Packages(), Sysctls(), File(), Artifact(), Unit())
RESOURCES = {kind.token: kind for kind in KINDS}
