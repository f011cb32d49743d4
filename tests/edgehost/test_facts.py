"""Which networks a host tells of: those that it is attached to or has a route to."""

from edgehost.facts import networks, read_facts
from edgehost.host import Host
from edgehost.host_facts import HostNetwork
from tests.edgehost.disposable_host import DisposableHost


async def test_the_networks_of_a_host_are_those_of_its_routes(host: Host, machine: DisposableHost) -> None:
    machine.run("""
        ip link add uplink type veth peer name other && ip link set uplink up && ip link set other up
        ip addr add 10.77.3.1/20 dev uplink && ip addr add 10.77.3.2/20 dev uplink
        ip route add 10.88.0.0/16 via 10.77.3.9
        ip route add default via 10.77.3.9 && ip route add 128.0.0.0/1 via 10.77.3.9
        ip route add blackhole 10.99.0.0/16
    """)
    facts = await read_facts(host)
    assert facts.networks == [
        HostNetwork(network="10.77.0.0/20", interface="uplink"),
        HostNetwork(network="10.88.0.0/16", interface="uplink"),
    ]


def test_a_route_in_the_kernels_form_is_read_least_byte_first() -> None:
    assert networks(["eth0 000200C0 00FFFFFF"]) == [HostNetwork(network="192.0.2.0/24", interface="eth0")]


def test_one_network_behind_two_interfaces_is_told_of_twice_and_a_second_route_is_not() -> None:
    found = networks(["eth0 0000A8C0 0000FFFF", "wlan0 0000A8C0 0000FFFF", "eth0 0000A8C0 0000FFFF"])
    assert [network.interface for network in found] == ["eth0", "wlan0"]
