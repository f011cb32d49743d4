"""How the hosts of a site are entered."""

from dataclasses import asdict
from typing import Any

import pulumi

from edgehost.client.host_resource import PACKAGE
from edgehost.naming import property_name
from edgehost.route import Route


class Provider(pulumi.ProviderResource):
    """Say how the hosts of a site are entered; a change of it changes nothing on a host."""

    def __init__(
        self,
        resource_name: str,
        *,
        user: pulumi.Input[str] = "root",
        port: pulumi.Input[int] = 22,
        private_key_file: pulumi.Input[str] | None = None,
        known_hosts_file: pulumi.Input[str] | None = None,
        connect_timeout_seconds: pulumi.Input[float] = 10,
        tunnel: Route | None = None,
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
            tunnel: A way to a cluster's API that is open while the provider runs, for other providers.
            opts: Pulumi's options.
        """
        properties = {
            "user": user,
            "port": port,
            "privateKeyFile": private_key_file,
            "knownHostsFile": known_hosts_file,
            "connectTimeoutSeconds": connect_timeout_seconds,
            "tunnel": tunnel and _properties(tunnel),
        }
        super().__init__(PACKAGE, resource_name, properties, opts)


def _properties(route: Route) -> dict[str, Any]:
    return {property_name(name): value for name, value in asdict(route).items()}
