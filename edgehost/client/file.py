"""Files of a host."""

from collections.abc import Sequence

import pulumi

from edgehost.client.host_resource import HostArgs, HostResource


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
