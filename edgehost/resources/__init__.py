"""The kinds of things on a host, one file each; this table is what the provider serves."""

from typing import Any

from edgehost.resource import Resource
from edgehost.resources.file import File

KINDS: tuple[Resource[Any, Any], ...] = (File(),)
RESOURCES = {kind.token: kind for kind in KINDS}
