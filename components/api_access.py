"""How this machine reaches a cluster's API: at its address, or where only SSH gets through, by a tunnel.

The tunnel is open while the edgehost provider runs, because `pulumi destroy` starts providers and not this program.
Its entrance is written into the kubeconfig and so into the stack: it follows from the site and is the same every time.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlsplit

import yaml

from components.handles import ClusterAccess
from components.site import API_PORT, Site
from edgehost import client

LOCAL_PORT = 20443
"""Not the API's own: a cluster on this machine listens there at every address, and would keep the tunnel out."""
NOTE = "# The API is reached through SSH; `make tunnel` opens the way (docs/private-api.md).\n"


def api_route(site: Site) -> client.Route | None:
    """Return the way to the API through the server's SSH; none where the API is reached without."""
    if site.kubernetes.api_access == "direct":
        return None
    server = site.server
    address = str(server.address)
    return client.Route(
        local_address=local_address(f"{site.name} {address}"),
        local_port=LOCAL_PORT,
        host=client.HostAddress(name=server.name, address=address),
        target_address=address,
        target_port=API_PORT,
    )


def local_address(identity: str) -> str:
    """Return a loopback address that follows from a text: 127.64.0.1 to 127.127.255.254, four million of them.

    The lower ones are left to those who choose by hand, such as systemd-resolved at 127.0.0.53.
    """
    first, second, third = hashlib.sha256(identity.encode()).digest()[:3]
    return f"127.{64 + first % 64}.{second}.{1 + third % 254}"


def reached_by(access: ClusterAccess, route: client.Route | None) -> ClusterAccess:
    """Return the access with a kubeconfig that leads through the tunnel, where there is one."""
    if route is None:
        return access
    return replace(access, kubeconfig=access.kubeconfig.apply(lambda text: through(text, route)))


def through(kubeconfig: str, route: client.Route) -> str:
    """Return a kubeconfig that connects to the tunnel and still asks for the certificate of the API's own address.

    Args:
        kubeconfig: The administrator's; empty in the stack of a cluster that has not answered yet.
        route: Where the tunnel begins.
    """
    if not kubeconfig:
        return kubeconfig
    config = cast(dict[str, Any], yaml.safe_load(kubeconfig))
    for entry in config["clusters"]:
        server: str = entry["cluster"]["server"]
        name = urlsplit(server).hostname
        entry["cluster"] |= {"server": f"https://{route.entrance}", "tls-server-name": name}
    return NOTE + yaml.safe_dump(config, sort_keys=False)
