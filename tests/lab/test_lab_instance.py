"""An instance's life on this machine: up, used, up again, refused to others, down without a trace."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.cgroup import ControlGroup
from tests.lab.lab_under_test import CHECKOUT, DEFINITION, NAME, NETWORK, PREFIX, LabUnderTest, traces

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def definition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file that defines the instance."""
    file = tmp_path_factory.mktemp("lab") / "kvtest.yaml"
    file.write_text(DEFINITION)
    return file


@pytest.fixture(scope="module")
def down(definition: Path) -> Iterator[LabUnderTest]:
    """Return the instance, not up, and take it down at the end."""
    if os.geteuid() != 0:
        pytest.fail("the lab needs root: run the tests as root, or leave the lab out with `make test-fast`")
    lab = LabUnderTest(definition)
    lab.run("down")
    yield lab
    lab.run("down")


@pytest.fixture
def lab(down: LabUnderTest) -> LabUnderTest:
    """Return the instance, up."""
    down.up()
    return down


def _wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_hosts_are_whole_and_known_by_their_keys(lab: LabUnderTest) -> None:
    for host in ("edge1", "nfs1"):
        assert lab.on(host, "systemctl is-system-running; hostname").split() == ["running", host]


def test_status_shows_address_state_and_limits(lab: LabUnderTest) -> None:
    rows = {line.split()[0]: line.split()[1:] for line in lab.run("status").splitlines()}
    assert rows["edge1"] == [f"{PREFIX}12", "up", "half", "0.5", "256", "base"]
    assert rows["nfs1"] == [f"{PREFIX}31", "up", "store", "2", "512", "store"]
    assert rows["gateway"] == [f"{PREFIX}1", "up", "-", "-", "-", f"http://{PREFIX}1:8080"]


def test_exec_gives_back_the_status_of_the_command(lab: LabUnderTest) -> None:
    lab.on("edge1", "exit 7", status=7)


def test_a_host_without_a_name_is_refused(lab: LabUnderTest) -> None:
    said = lab.on("edge9", "true", status=1)
    assert said.startswith("lab: lab kvtest: has no host 'edge9'\n")
    assert "name one of: edge1, nfs1" in said


def test_a_second_up_starts_nothing(lab: LabUnderTest) -> None:
    before = {process for process in traces() if process.startswith("process")}
    boot = lab.on("edge1", "systemctl show --property UserspaceTimestamp")
    lab.up()
    assert lab.on("edge1", "systemctl show --property UserspaceTimestamp") == boot
    long_lived = {process for process in before if "nspawn" in process or "lab.gateway" in process}
    assert len(long_lived) == 3
    assert long_lived <= traces()


def test_a_running_host_may_have_a_unit_that_failed(lab: LabUnderTest) -> None:
    lab.on("edge1", "systemd-run --quiet --unit=fails --wait false; systemctl is-system-running | grep -qx degraded")
    lab.up()
    lab.on("edge1", "systemctl reset-failed fails; systemctl is-system-running")


def test_memory_and_cpus_are_limited(lab: LabUnderTest) -> None:
    said = lab.on("edge1", "python3 -c 'bytearray(400 << 20)'; echo status $?")
    assert "status 137" in said
    burn = "import time; end = time.monotonic() + 2\nwhile time.monotonic() < end: pass\nprint(time.process_time())"
    assert float(lab.on("edge1", f'python3 -c "{burn}"')) < 1.4


def test_packages_come_through_the_gateway_and_nothing_else_does(lab: LabUnderTest) -> None:
    lab.on("nfs1", "apt-get update -qq && apt-get install -qq -y --no-install-recommends socat > /dev/null 2>&1")
    lab.on("nfs1", "curl -sS --max-time 5 http://example.com/", status=6)
    refused = lab.on(
        "nfs1", f"curl -sS --proxy http://{PREFIX}1:3142 -w '%{{http_code}}' -o /dev/null http://example.com/"
    )
    assert refused == "403"


def test_pristine_gives_back_a_bare_host_with_its_own_key(lab: LabUnderTest) -> None:
    lab.on("edge1", "touch /etc/by-hand /var/lib/by-hand")
    lab.run("pristine", "edge1")
    assert lab.on("edge1", "ls /etc/by-hand /var/lib/by-hand 2>/dev/null || true") == ""


def test_a_host_that_was_switched_off_comes_back_with_its_disk(lab: LabUnderTest) -> None:
    lab.on("edge1", "echo kept > /var/lib/by-hand; systemctl poweroff --no-block")
    _wait_for(lambda: not ControlGroup(f"{NAME}/edge1").processes())
    assert "off" in lab.run("status", status=3)
    lab.up()
    assert lab.on("edge1", "cat /var/lib/by-hand") == "kept\n"


def test_another_checkout_is_refused(lab: LabUnderTest, tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "lab", tmp_path / "lab", symlinks=True)
    other = LabUnderTest(lab.definition, checkout=tmp_path)
    for said in (other.up(status=1), other.run("down", status=1), other.run("pristine", "--all", status=1)):
        assert said == (
            f"lab: lab kvtest: belongs to the checkout {CHECKOUT}\n"
            "  why it matters: its hosts carry that checkout's site, and changing them would break it\n"
            "  what to do: start one of your own: python -m lab up --name NAME --network 10.98.7.0/24;"
            f" or use it from {CHECKOUT}\n"
        )


def test_another_instance_on_the_same_network_is_refused(lab: LabUnderTest) -> None:
    process = lab.start("up", "--name", "kvother", "--network", NETWORK)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"lab kvother: the network {NETWORK} is that of the instance kvtest\n" in said
    lab.run("down", "--name", "kvother")


def test_a_different_definition_of_a_running_instance_is_refused(lab: LabUnderTest, tmp_path: Path) -> None:
    larger = tmp_path / "larger.yaml"
    larger.write_text(DEFINITION.replace("memory-mib: 256", "memory-mib: 300"))
    said = LabUnderTest(larger).up(status=1)
    assert "lab kvtest: is up with other hosts or another network than asked for\n" in said


def test_down_leaves_nothing(lab: LabUnderTest) -> None:
    assert traces()
    start = time.monotonic()
    lab.run("down")
    assert time.monotonic() - start < 15
    assert traces() == set()


def test_down_of_what_is_not_there_is_no_mistake(down: LabUnderTest) -> None:
    down.run("down")
    down.run("down")
    assert traces() == set()


@pytest.mark.parametrize("part", ["gateway", "edge1", "nfs1/payload"])
def test_down_clears_up_after_a_killed_up(down: LabUnderTest, part: str) -> None:
    down.run("down")
    up = down.start_up()
    _wait_for(lambda: bool(ControlGroup(f"{NAME}/{part}").processes()))
    up.send_signal(signal.SIGKILL)
    up.communicate()
    down.run("down")
    assert traces() == set()


def test_up_goes_on_after_a_killed_up(down: LabUnderTest) -> None:
    down.run("down")
    up = down.start_up()
    _wait_for(lambda: bool(ControlGroup(f"{NAME}/edge1").processes()))
    up.send_signal(signal.SIGKILL)
    up.communicate()
    assert "edge1" in down.up()
