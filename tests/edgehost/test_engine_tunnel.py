"""A cluster that only SSH reaches, under the real engine and the real Kubernetes plugin."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgehost.host import Host
from edgehost.route import Route
from edgehost.tunnel import Tunnel
from tests.edgehost import engine
from tests.edgehost.disposable_host import DisposableHost, SshServer
from tests.edgehost.fake_api import FakeApi, fake_api
from tests.edgehost.test_tunnel import free_port

pytestmark = pytest.mark.timeout(600)

PREAMBLE = """\
import pulumi
import pulumi_kubernetes as kubernetes
from edgehost import client

edge1 = {{"name": "edge1", "address": "127.0.0.1"}}
route = client.Route(
    local_address={local_address!r},
    local_port={local_port},
    host=client.HostAddress(name="edge1", address="127.0.0.1"),
    target_address="127.0.0.1",
    target_port={api_port},
)
"""
PROGRAM = """\
provider = client.Provider(
    "hosts", port={port}, private_key_file={key!r}, known_hosts_file={known_hosts!r}, tunnel={tunnel}
)
# As in a site, the way into the cluster is known when a host's resource is there.
conf = client.File(
    "conf", host=edge1, path="/etc/kv/{name}", content="x", opts=pulumi.ResourceOptions(provider=provider)
)
cluster = kubernetes.Provider(
    "cluster",
    kubeconfig=conf.id.apply(lambda _: {kubeconfig!r}),
    cluster_identifier="it",
    enable_config_map_mutable=True,
)
kubernetes.core.v1.ConfigMap(
    "it",
    metadata={{"name": "it", "namespace": "default", "annotations": {{"pulumi.com/patchForce": "true"}}}},
    data={{"through": {entrance!r}}},
    opts=pulumi.ResourceOptions(provider=cluster, custom_timeouts=pulumi.CustomTimeouts(delete="20s")),
)
"""


class Cluster:
    """Hold an API that is reached through the tunnel of a project, and the project."""

    def __init__(self, name: str, folder: Path, server: SshServer, api: FakeApi, local_address: str) -> None:
        self.name = name
        self.api = api
        self.server = server
        self.route = Route(
            local_address=local_address,
            local_port=free_port(local_address),
            host=server.address,
            target_address="127.0.0.1",
            target_port=api.port,
        )
        folder.mkdir()
        preamble = PREAMBLE.format(local_address=local_address, local_port=self.route.local_port, api_port=api.port)
        self.program = engine.Program(folder, preamble, {"PULUMI_HOME": os.environ["PULUMI_HOME"]})

    async def start(self, *, tunnel: bool = True) -> None:
        """Make the stack, for a program with the tunnel or without."""
        self.write(tunnel=tunnel)
        await self.program.pulumi("stack", "init", "test")

    def write(self, *, tunnel: bool) -> None:
        """Write the program that the next command runs."""
        login = self.server.login
        entrance = self.route.entrance if tunnel else f"127.0.0.1:{self.api.port}"
        self.program.write(
            PROGRAM.format(
                name=self.name,
                port=login.port,
                key=login.private_key_file,
                known_hosts=login.known_hosts_file,
                tunnel="route" if tunnel else None,
                entrance=entrance,
                kubeconfig=self.api.kubeconfig(entrance),
            )
        )

    async def live(self) -> None:
        """Go through a whole life."""
        await self.program.pulumi("up", "--yes", "--skip-preview")
        assert list(self.api.objects) == ["it"]
        await self.program.pulumi("preview", "--expect-no-changes")
        await self.program.pulumi("destroy", "--yes", "--skip-preview")
        assert self.api.objects == {}


@pytest.fixture
def first_api(tmp_path: Path) -> Iterator[FakeApi]:
    """Return the API of the first site; its certificate is for an address that nothing here has."""
    with fake_api(tmp_path, "192.0.2.11") as api:
        yield api


@pytest.fixture
def second_api(tmp_path: Path) -> Iterator[FakeApi]:
    """Return the API of the second site."""
    with fake_api(tmp_path, "192.0.2.21") as api:
        yield api


@pytest.fixture
def first(server: SshServer, machine: DisposableHost, tmp_path: Path, first_api: FakeApi) -> Cluster:
    """Return a site."""
    if not engine.is_there():
        pytest.skip("there is no engine on PATH; `make test-fast` brings one")
    return Cluster("first", tmp_path / "first", server, first_api, "127.77.2.1")


@pytest.fixture
def second(server: SshServer, tmp_path: Path, second_api: FakeApi, first: Cluster) -> Cluster:
    """Return another site."""
    return Cluster("second", tmp_path / "second", server, second_api, "127.77.2.2")


async def test_two_clusters_live_at_once_through_tunnels_of_their_own(
    first: Cluster, second: Cluster, host: Host
) -> None:
    await first.start()
    await second.start()
    # A person holds one of them open for kubectl, which disturbs nothing.
    held = Tunnel(first.route, host)
    await held.open()
    await asyncio.gather(first.live(), second.live())
    await held.close()


async def test_a_running_cluster_is_turned_to_the_tunnel_in_one_update(first: Cluster) -> None:
    await first.start(tunnel=False)
    await first.program.pulumi("up", "--yes", "--skip-preview")
    first.write(tunnel=True)
    said = await first.program.pulumi("up", "--yes", "--skip-preview", "--diff")
    assert first.api.objects["it"]["data"] == {"through": first.route.entrance}
    assert "~ pulumi:providers:edgehost: (update)" in said
    assert "replace" not in said
