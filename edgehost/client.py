"""The resources of hosts, as a Pulumi program uses them.

Every resource takes `host={"name": ..., "address": ...}`. The name is the host's identity: under another name it is
another host. All resources need a `Provider` that says how hosts are entered, given in their options or inherited from
their parent.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, TypeVar, cast

import pulumi

from edgehost.host_facts import HostFacts
from edgehost.naming import property_name

PACKAGE = "edgehost"
WHOLE_NUMBERS = {"memory_mib", "disk_free_mib", "cpu_count"}
T = TypeVar("T")


class HostArgs(TypedDict):
    """Name one host: its name in the site and the IP address or DNS name under which its key is pinned."""

    name: pulumi.Input[str]
    address: pulumi.Input[str]


class Provider(pulumi.ProviderResource):
    """Say how the hosts of a site are entered; none of it is part of any difference."""

    def __init__(
        self,
        resource_name: str,
        *,
        user: pulumi.Input[str] = "root",
        port: pulumi.Input[int] = 22,
        private_key_file: pulumi.Input[str] | None = None,
        known_hosts_file: pulumi.Input[str] | None = None,
        connect_timeout_seconds: pulumi.Input[float] = 10,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the provider.

        Args:
            resource_name: The provider's name in the stack.
            user: The user to log in as; one who is not root must have sudo without a password.
            port: The TCP port of sshd on every host.
            private_key_file: A private key without a passphrase; None asks the SSH agent.
                The environment's EDGEHOST_PRIVATE_KEY_FILE goes before it.
            known_hosts_file: The pinned host keys; None means ~/.ssh/known_hosts.
                The environment's EDGEHOST_KNOWN_HOSTS_FILE goes before it.
            connect_timeout_seconds: How long a host may take to answer.
            opts: Pulumi's options.
        """
        properties = {
            "user": user,
            "port": port,
            "privateKeyFile": private_key_file,
            "knownHostsFile": known_hosts_file,
            "connectTimeoutSeconds": connect_timeout_seconds,
        }
        super().__init__(PACKAGE, resource_name, properties, opts)


class HostResource(pulumi.CustomResource):
    """What all resources of a host have in common."""

    def __init__(
        self,
        resource_name: str,
        arguments: Mapping[str, Any],
        outputs: Sequence[str],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        given = {property_name(name): value for name, value in arguments.items()}
        wanted = dict.fromkeys(property_name(name) for name in (*outputs, "host_status"))
        super().__init__(f"{PACKAGE}:index:{type(self).__name__}", resource_name, {**given, **wanted}, opts)

    @property
    def host_status(self) -> pulumi.Output[str]:
        """Say "reachable" or, when the host did not answer the last refresh, "unreachable"."""
        return self._output("host_status", str)

    def _output(self, name: str, _: type[T]) -> pulumi.Output[T]:
        return cast("pulumi.Output[T]", self.__dict__[property_name(name)])


class Packages(HostResource):
    """Have packages of the host's distribution installed; what was added for them is purged on delete."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        names: pulumi.Input[Sequence[pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, {"host": host, "names": names}, ["installed"], opts)

    @property
    def installed(self) -> pulumi.Output[list[str]]:
        """List every package that this resource added, dependencies included."""
        return self._output("installed", list[str])


class Sysctls(HostResource):
    """Have kernel settings set now and at every start; previous values come back on delete. One per host."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        settings: pulumi.Input[Mapping[str, pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, {"host": host, "settings": settings}, [], opts)


class KernelFeatures(HostResource):
    """Have kernel features there, built in or loaded as modules now and at every start. One per host."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        names: pulumi.Input[Sequence[pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, {"host": host, "names": names}, [], opts)


class SwapOff(HostResource):
    """Have no swap, now and at every start. One per host."""

    def __init__(self, resource_name: str, *, host: HostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(resource_name, {"host": host}, [], opts)


class CgroupControllers(HostResource):
    """Have cgroup controllers active; on a Raspberry Pi this may ask for a reboot. One per host."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        names: pulumi.Input[Sequence[pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, {"host": host, "names": names}, [], opts)


class File(HostResource):
    """Have a file with a content, a mode and an owner; what stood in its place comes back on delete."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        path: pulumi.Input[str],
        content: pulumi.Input[str],
        mode: pulumi.Input[str] = "0644",
        owner: pulumi.Input[str] = "root",
        group: pulumi.Input[str] = "root",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        arguments = {"host": host, "path": path, "content": content, "mode": mode, "owner": owner, "group": group}
        super().__init__(resource_name, arguments, [], opts)


class Artifact(HostResource):
    """Have a file with a known sha256, fetched by the host from a URL or uploaded from this machine."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        path: pulumi.Input[str],
        sha256: pulumi.Input[str],
        url: pulumi.Input[str] | None = None,
        source_file: pulumi.Input[str] | None = None,
        mode: pulumi.Input[str] = "0644",
        size_bytes: pulumi.Input[int] | None = None,
        links: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the artifact.

        Args:
            resource_name: The resource's name in the stack.
            host: The host.
            path: Where the file goes.
            sha256: The 64 hex digits that its content must have.
            url: Where the host fetches it; exactly one of `url` and `source_file` is given.
            source_file: A file of this machine that is uploaded.
            mode: Four octal digits.
            size_bytes: Its size, for the check of free space when the server does not tell.
            links: Symbolic links to make to it.
            opts: Pulumi's options.
        """
        arguments = {
            "host": host,
            "path": path,
            "sha256": sha256,
            "url": url,
            "source_file": source_file,
            "mode": mode,
            "size_bytes": size_bytes,
            "links": links,
        }
        super().__init__(resource_name, arguments, [], opts)


class Unit(HostResource):
    """Have a systemd unit with a content, enabled and active or not."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        unit_name: pulumi.Input[str],
        content: pulumi.Input[str] | None = None,
        enabled: pulumi.Input[bool] | None = True,
        active: pulumi.Input[bool] | None = True,
        restart_on: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        start_timeout_seconds: pulumi.Input[int] = 180,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the unit.

        Args:
            resource_name: The resource's name in the stack.
            host: The host.
            unit_name: The unit's name with its ending.
            content: The unit file's text; None means a unit that a package carries.
            enabled: Whether it starts with the host; None leaves that to others.
            active: Whether it runs now; None leaves that to others.
            restart_on: Hashes of what the unit reads at its start; a change of any restarts it.
            start_timeout_seconds: How long a start may take.
            opts: Pulumi's options.
        """
        arguments = {
            "host": host,
            "unit_name": unit_name,
            "content": content,
            "enabled": enabled,
            "active": active,
            "restart_on": restart_on,
            "start_timeout_seconds": start_timeout_seconds,
        }
        super().__init__(resource_name, arguments, [], opts)


class ClusterAccess(HostResource):
    """Have a cluster that answers: waits for its API and its first node, and hands out the kubeconfig."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        node_name: pulumi.Input[str],
        unit_name: pulumi.Input[str] = "k3s.service",
        distribution: pulumi.Input[str] = "k3s",
        labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        ready_timeout_seconds: pulumi.Input[int] = 300,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the access.

        Args:
            resource_name: The resource's name in the stack.
            host: The server's host; its address becomes the API's address in the kubeconfig.
            node_name: The server's own node.
            unit_name: The unit that runs the server; it is stopped before its data are removed on delete.
            distribution: "k3s".
            labels: Labels of the server's node.
            ready_timeout_seconds: How long the API and the node may take.
            opts: Pulumi's options.
        """
        arguments = {
            "host": host,
            "node_name": node_name,
            "unit_name": unit_name,
            "distribution": distribution,
            "labels": labels,
            "ready_timeout_seconds": ready_timeout_seconds,
        }
        super().__init__(resource_name, arguments, ["kubeconfig", "version", "ready"], opts)

    @property
    def kubeconfig(self) -> pulumi.Output[str]:
        """Hold the administrator's kubeconfig; a secret."""
        return self._output("kubeconfig", str)

    @property
    def version(self) -> pulumi.Output[str]:
        """Hold the API server's version."""
        return self._output("version", str)


class ClusterMember(HostResource):
    """Have a host be a node of a cluster: joined with a token of a minute, drained and cleaned on delete."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        server: HostArgs,
        node_name: pulumi.Input[str],
        unit_name: pulumi.Input[str],
        token_file: pulumi.Input[str],
        distribution: pulumi.Input[str] = "k3s",
        server_url: pulumi.Input[str] | None = None,
        labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        restart_on: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        ready_timeout_seconds: pulumi.Input[int] = 180,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the membership.

        Args:
            resource_name: The resource's name in the stack.
            host: The host that joins.
            server: A host of the cluster's control plane, where tokens are minted and nodes are asked for.
            node_name: The node's name in the cluster.
            unit_name: The agent's unit, which must be installed but need not run.
            token_file: Where the agent reads its token; nothing usable stays there.
            distribution: "k3s".
            server_url: The API's address as the agent uses it.
            labels: The node's labels; others on the node are left alone.
            restart_on: Hashes of what the agent reads at its start; a change of any restarts it.
            ready_timeout_seconds: How long the node may take to be Ready.
            opts: Pulumi's options.
        """
        arguments = {
            "host": host,
            "server": server,
            "node_name": node_name,
            "unit_name": unit_name,
            "token_file": token_file,
            "distribution": distribution,
            "server_url": server_url,
            "labels": labels,
            "restart_on": restart_on,
            "ready_timeout_seconds": ready_timeout_seconds,
        }
        super().__init__(resource_name, arguments, ["ready", "node_uid"], opts)

    @property
    def ready(self) -> pulumi.Output[bool]:
        """Say whether the node is Ready and its agent runs."""
        return self._output("ready", bool)

    @property
    def node_uid(self) -> pulumi.Output[str]:
        """Hold the node object's uid; it changes when the host joins anew."""
        return self._output("node_uid", str)


class ModelVersion(HostResource):
    """Have one version of a model on a store: published in one step, checked against a manifest of sha256."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        model: pulumi.Input[str],
        version: pulumi.Input[int],
        source_directory: pulumi.Input[str],
        store_path: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the version.

        Args:
            resource_name: The resource's name in the stack.
            host: The store's host.
            model: The model's name; a folder of that name below `store_path`.
            version: The version; a folder of that number below the model's.
            source_directory: A SavedModel's folder on this machine.
            store_path: The folder that the store exports.
            opts: Pulumi's options.
        """
        arguments = {
            "host": host,
            "model": model,
            "version": version,
            "source_directory": source_directory,
            "store_path": store_path,
        }
        super().__init__(resource_name, arguments, ["manifest"], opts)

    @property
    def manifest(self) -> pulumi.Output[dict[str, str]]:
        """Map each file's path below the version's folder to its sha256."""
        return self._output("manifest", dict[str, str])


def get_facts(host: HostArgs, opts: pulumi.InvokeOptions | None = None) -> HostFacts:
    """Ask a host what it is, now; one that cannot be entered has `reachable` False and says why in `error`."""
    answer = pulumi.runtime.invoke(f"{PACKAGE}:index:getFacts", {"host": host}, opts=opts)
    return _facts(answer.value)


def get_facts_output(
    host: pulumi.Input[HostArgs], opts: pulumi.InvokeOptions | None = None
) -> pulumi.Output[HostFacts]:
    """Ask a host what it is once everything that the call depends on is known."""
    answer = pulumi.runtime.invoke_output(f"{PACKAGE}:index:getFacts", {"host": host}, opts=opts)
    return answer.apply(_facts)


def _facts(answer: Mapping[str, Any]) -> HostFacts:
    named = {field.name: answer.get(property_name(field.name)) for field in dataclasses.fields(HostFacts)}
    known: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    # Every number arrives as a float.
    known |= {name: int(known[name]) for name in WHOLE_NUMBERS & known.keys()}
    return HostFacts(**known)
