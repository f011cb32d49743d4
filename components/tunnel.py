"""Hold the way to a site's API open, for kubectl: python -m components.tunnel Pulumi.SITE.yaml"""

from __future__ import annotations

import sys
from pathlib import Path

from components.api_access import api_route
from components.errors import Problem, SiteFileError
from components.load import site_data, site_from_data
from components.site import Site, Ssh
from edgehost import client
from edgehost.client.tunnel import EdgehostError, Login, hold

DIRECT = Problem(
    where="kubernetes > api-access",
    found="direct",
    why="The kubeconfig of this site leads to the server itself; a tunnel would lead nobody.",
    fix="Use kubectl as it is; or, if only SSH gets there, write api-access: ssh and run make up.",
)


def main(arguments: list[str]) -> int:
    """Run the command until Ctrl-C; return its exit status."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    path = Path(arguments[0])
    try:
        site = site_from_data(site_data(path), path.name)
        route = api_route(site)
        if route is None:
            raise SiteFileError(path.name, [DIRECT])
        hold(route, _login(site.ssh), opened=lambda: print(_told(site, route), flush=True))
    except (SiteFileError, EdgehostError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _login(ssh: Ssh) -> Login:
    return Login(
        user=ssh.user,
        port=ssh.port_number,
        private_key_file=str(ssh.private_key_file),
        known_hosts_file=str(ssh.known_hosts_file),
        connect_timeout_seconds=ssh.connect_timeout_seconds,
    )


def _told(site: Site, route: client.Route) -> str:
    return f"{route.entrance} leads to the API of {site.name} through {route.host}. Ctrl-C closes it."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
