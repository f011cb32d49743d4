"""An instance's bridge on machines that filter or already use its addresses, each played in a namespace of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

CHECKOUT = Path(__file__).resolve().parents[2]
PLAY = """
from ipaddress import IPv4Network
from lab import network
played = network.Network(instance="kvplay", subnet=IPv4Network("10.98.9.0/24"))
"""
VARIABLES = {"UP": f"{PLAY}played.up()", "DOWN": f"{PLAY}network.remove('kvplay')", "PY": sys.executable}


def played(shell: str) -> str:
    """Return what a shell script says in a network namespace that ends with it."""
    if os.geteuid() != 0:
        pytest.fail("this needs root: run the tests as root, or leave the lab out with `make test-fast`")
    command = ["unshare", "--net", "bash", "-euc", shell]
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**os.environ, **VARIABLES},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout


def test_the_bridge_has_the_gateways_address_and_goes_again() -> None:
    said = played('$PY -c "$UP"; $PY -c "$UP"; ip -brief address show lab-kvplay; $PY -c "$DOWN"; ip -brief link')
    assert "10.98.9.1/24" in said
    assert said.count("kvplay") == 1


def test_hosts_may_talk_where_the_machine_forwards_nothing() -> None:
    said = played(
        'test "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables)" = 1 || { echo skip; exit; };'
        ' iptables -P FORWARD DROP; $PY -c "$UP"; $PY -c "$UP"; iptables -S FORWARD; echo after;'
        ' $PY -c "$DOWN"; iptables -S FORWARD'
    )
    if said.startswith("skip"):
        pytest.skip("this kernel does not filter bridged frames")
    before, after = said.split("after\n")
    rule = '-A FORWARD -i lab-kvplay -o lab-kvplay -m comment --comment "kubevc-lab.kvplay" -j ACCEPT\n'
    assert before == f"-P FORWARD DROP\n{rule}"
    assert after == "-P FORWARD DROP\n"


def test_a_machine_that_forwards_gets_no_rule() -> None:
    assert played('$PY -c "$UP"; iptables -S FORWARD') == "-P FORWARD ACCEPT\n"


def test_a_network_in_use_is_refused() -> None:
    said = played(
        'ip link add name near type bridge; ip address add 10.98.0.7/16 dev near; $PY -c "$UP" || true; ip -brief link'
    )
    assert "lab kvplay: the network 10.98.9.0/24 is in use by near (10.98.0.0/16)\n" in said
    assert "choose a free one: python -m lab up --name NAME --network 10.98.7.0/24" in said
    assert "lab-kvplay" not in said
