"""A bare host made ready to be a node: packages, kernel, files. No Kubernetes runs yet, whatever the distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import pulumi

from components.artifacts import ArtifactSource, LockedArtifact
from components.handles import Host, PreparedNode
from components.located import located
from components.ordering import after
from components.service import NodeService, configure
from edgehost import client


@dataclass(frozen=True, kw_only=True)
class InstalledFile:
    """A file from the table of artifacts and where it belongs."""

    artifact: str
    """Name in the table."""
    version: str | None = None
    """Version in the table, or None for the newest there."""
    path: str
    """Absolute path on the host."""
    mode: str = "0644"
    """Permission bits."""
    links: Sequence[str] = ()
    """Symbolic links to it."""
    beside_others: bool = False
    """Whether the file of another version has another path, and goes only when nothing uses it any more."""

    @property
    def resource_name(self) -> str:
        """Return what tells it from the other files of a host."""
        return f"{self.artifact}-{self.version}" if self.beside_others else self.artifact


@dataclass(frozen=True, kw_only=True)
class ContainerRuntime:
    """A container runtime that runs as a service of its own, and the images that it is given."""

    service: NodeService
    """Its service."""
    socket: str
    """Where it answers."""
    archives: Mapping[str, str]
    """Artifact with images to the path where it is installed."""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What a distribution needs on a host before it starts."""

    packages: Sequence[str]
    """Debian packages."""
    idle_units: Sequence[str] = ()
    """Units that a package brings, and that must neither run nor start at boot."""
    kernel_features: Sequence[str] = ()
    """Kernel modules, or the same built in."""
    sysctls: Mapping[str, str] = field(default_factory=dict[str, str])
    """Kernel settings."""
    controllers: Sequence[str] = ()
    """Cgroup controllers that must limit for real."""
    installed: Sequence[InstalledFile] = ()
    """Files from the tables of artifacts."""
    written: Mapping[str, str] = field(default_factory=dict[str, str])
    """Path to content of configuration files."""
    runtime: ContainerRuntime | None = None
    """A container runtime beside the distribution's own programs."""


@dataclass(frozen=True, kw_only=True)
class PreparedHostArgs:
    """What a host is prepared with."""

    host: Host
    """The host."""
    preparation: Preparation
    """What the distribution needs."""
    artifacts: ArtifactSource
    """Tables that say where files come from."""


class PreparedHost(pulumi.ComponentResource):
    """Prepare a host; everything in it is independent, and so is done at once, but for what the kernel orders."""

    node: PreparedNode

    def __init__(self, name: str, args: PreparedHostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:host:PreparedHost", name, None, opts)
        self._prefix, self._given = name, args
        self._on_host = pulumi.ResourceOptions(parent=self, provider=args.host.provider)
        packages = self._packages()
        self._keep_idle(packages)
        prepared = [packages, *self._kernel()]
        locked = {
            file.artifact: located(args.artifacts, args.host, file.artifact, file.version)
            for file in args.preparation.installed
        }
        installed = {file.artifact: self._install(file, locked[file.artifact]) for file in args.preparation.installed}
        prepared += installed.values()
        prepared += [self._write(path, content) for path, content in args.preparation.written.items()]
        self.node = PreparedNode(
            host=args.host, versions=_checksums(locked), images=_references(locked), prepared_by=tuple(prepared)
        )
        if args.preparation.runtime is not None:
            self.node = self._run(args.preparation.runtime, packages, installed, locked)
        self.register_outputs({})

    def _kernel(self) -> list[pulumi.Resource]:
        host, needs = self._given.host.reference, self._given.preparation
        features = client.KernelFeatures(
            f"{self._prefix}-kernel", host=host, names=list(needs.kernel_features), opts=self._on_host
        )
        # Settings of bridged packets exist only once the bridge filter is in the kernel.
        bridged = after(self._on_host, [features])
        return [
            features,
            client.Sysctls(f"{self._prefix}-sysctls", host=host, settings=dict(needs.sysctls), opts=bridged),
            client.SwapOff(f"{self._prefix}-swap", host=host, opts=self._on_host),
            client.CgroupControllers(
                f"{self._prefix}-controllers", host=host, names=list(needs.controllers), opts=self._on_host
            ),
        ]

    def _packages(self) -> pulumi.Resource:
        names = list(self._given.preparation.packages)
        host = self._given.host.reference
        return client.Packages(f"{self._prefix}-packages", host=host, names=names, opts=self._on_host)

    def _keep_idle(self, packages: pulumi.Resource) -> None:
        """Stop what packages started; nothing waits for it, since a node works beside it."""
        installed = after(self._on_host, [packages])
        for unit in self._given.preparation.idle_units:
            client.Unit(
                f"{self._prefix}-{unit}",
                host=self._given.host.reference,
                unit_name=unit,
                enabled=False,
                active=False,
                opts=installed,
            )

    def _install(self, file: InstalledFile, locked: pulumi.Output[LockedArtifact]) -> pulumi.Resource:
        return client.Artifact(
            f"{self._prefix}-{file.resource_name}",
            host=self._given.host.reference,
            path=file.path,
            # One of the two is None; which one, only the table tells.
            url=locked.apply(lambda found: cast(str, found.url)),
            source_file=locked.apply(lambda found: cast(str, found.source_file)),
            sha256=locked.apply(lambda found: found.sha256),
            size_bytes=locked.apply(lambda found: cast(int, found.size_bytes)),
            mode=file.mode,
            links=list(file.links) or None,
            opts=self._on_host,
        )

    def _write(self, path: str, content: str) -> pulumi.Resource:
        return client.File(
            f"{self._prefix}-{path.rsplit('/', 1)[-1]}",
            host=self._given.host.reference,
            path=path,
            content=content,
            opts=self._on_host,
        )

    def _run(
        self,
        runtime: ContainerRuntime,
        packages: pulumi.Resource,
        installed: Mapping[str, pulumi.Resource],
        locked: Mapping[str, pulumi.Output[LockedArtifact]],
    ) -> PreparedNode:
        """Start the runtime as soon as its package is there, and give it its images."""
        name = f"{self._prefix}-runtime"
        bare = replace(self.node, versions=pulumi.Output.from_input({}), prepared_by=[packages])
        configured = configure(self, name, runtime.service, bare)
        unit = client.Unit(
            f"{name}-unit",
            host=self.node.host.reference,
            unit_name=runtime.service.unit_name,
            content=runtime.service.unit_text,
            restart_on=configured.restart_on,
            opts=after(self._on_host, configured.needs),
        )
        images = client.ContainerImages(
            f"{self._prefix}-images",
            host=self.node.host.reference,
            socket=runtime.socket,
            archives=dict(runtime.archives),
            checksums=_checksums({name: locked[name] for name in runtime.archives}),
            opts=after(self._on_host, [unit, *(installed[name] for name in runtime.archives)]),
        )
        return replace(self.node, prepared_by=(*self.node.prepared_by, unit, images))


def _checksums(locked: Mapping[str, pulumi.Output[LockedArtifact]]) -> pulumi.Output[dict[str, str]]:
    checksums = {name: found.apply(lambda artifact: artifact.sha256) for name, found in locked.items()}
    return pulumi.Output.all(**checksums)


def _references(locked: Mapping[str, pulumi.Output[LockedArtifact]]) -> pulumi.Output[dict[str, str]]:
    return pulumi.Output.all(**locked).apply(
        lambda found: {name: artifact.image for name, artifact in found.items() if artifact.image}
    )
