"""Which of the version folders that exist are to be served."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from modelserver.errors import InvalidArgument
from protos.stubs.tensorflow_serving.config.file_system_storage_path_source_pb2 import FileSystemStoragePathSourceConfig

ServableVersionPolicy = FileSystemStoragePathSourceConfig.ServableVersionPolicy


@dataclass(frozen=True)
class VersionPolicy:
    """A rule that picks versions: the largest `count`, all, or those of `versions`."""

    kind: Literal["latest", "all", "specific"] = "latest"
    count: int = 1
    versions: frozenset[int] = frozenset()

    def choose(self, existing: Collection[int]) -> list[int]:
        """Return the versions to serve, largest first."""
        largest_first = sorted(existing, reverse=True)
        if self.kind == "latest":
            return largest_first[: self.count]
        if self.kind == "specific":
            return [version for version in largest_first if version in self.versions]
        return largest_first


def policy_of(message: ServableVersionPolicy) -> VersionPolicy:
    """Read a policy from the configuration; the default is the one latest version."""
    match message.WhichOneof("policy_choice"):
        case "all":
            return VersionPolicy("all")
        case "specific":
            if not message.specific.versions:
                raise InvalidArgument("model_version_policy is 'specific' and lists no version")
            return VersionPolicy("specific", versions=frozenset(message.specific.versions))
        case _:
            return VersionPolicy("latest", count=max(message.latest.num_versions, 1))
