"""Models on a store."""

import pulumi

from edgehost.client.host_resource import HostArgs, HostResource


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
