"""A site with an arm64 node: a virtual machine with Debian's own kernel beside an amd64 server.

What containers cannot show is shown here: preparing a node whose kernel has modules and cgroup v2, programs of another
architecture, the kernel's NFS client, a reboot. The tests build on each other in the order of this file.
"""

import json
import time
from collections.abc import Iterator

import pytest

from tests.lab.site_under_test import SiteUnderTest

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600)]

PATIENCE_SECONDS = 2400
NODE_READY = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'


@pytest.fixture(scope="module")
def bare_vm_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteUnderTest]:
    """Return a site whose hosts have just booted for the first time; take the hosts down afterwards."""
    site = SiteUnderTest(
        "kvtest-vm",
        "10.97.77.",
        tmp_path_factory.mktemp("vm-site"),
        like="edge-lab-vm",
        patience_seconds=PATIENCE_SECONDS,
    )
    with site.bare_hosts():
        yield site


@pytest.fixture(scope="module")
def vm_site(bare_vm_site: SiteUnderTest) -> SiteUnderTest:
    """Return the site, brought up from bare hosts."""
    bare_vm_site.up()
    return bare_vm_site


def _model_server(site: SiteUnderTest) -> str:
    pods = "get pods -n serving -l app.kubernetes.io/name=model-classifier"
    return site.kubectl(f"{pods} -o jsonpath={{.items[0].metadata.name}}")


def _wait_until(site: SiteUnderTest, question: str, wanted: str, seconds: float = 900) -> None:
    deadline = time.monotonic() + seconds
    while (said := site.on("cp1", question, status=None).strip()) != wanted:
        assert time.monotonic() < deadline, f"{question} still says {said!r}"
        time.sleep(5)


def test_the_host_is_a_whole_arm64_machine(bare_vm_site: SiteUnderTest) -> None:
    said = bare_vm_site.on("pi1", "uname -sm; stat -fc %T /sys/fs/cgroup; cat /sys/fs/cgroup/cgroup.controllers")
    kernel, control_groups, controllers = said.splitlines()
    assert kernel == "Linux aarch64"
    assert control_groups == "cgroup2fs"
    assert {"cpu", "memory", "pids"} <= set(controllers.split())


def test_its_kernel_has_modules_that_are_not_loaded_yet(bare_vm_site: SiteUnderTest) -> None:
    loaded = bare_vm_site.on("pi1", "cut -d' ' -f1 /proc/modules").split()
    assert not {"br_netfilter", "overlay"} & set(loaded)


def test_up_ends_with_a_picture_answered_by_the_arm64_node(vm_site: SiteUnderTest) -> None:
    answer = vm_site.outputs()["answer"]
    assert isinstance(answer, dict)
    assert any("espresso" in found["label"] or "cup" in found["label"] for found in answer["classifications"])
    where = vm_site.kubectl(f"get pod -n serving {_model_server(vm_site)} -o jsonpath={{.spec.nodeName}}")
    assert where == "pi1"


def test_the_cluster_has_a_node_of_each_architecture(vm_site: SiteUnderTest) -> None:
    nodes = json.loads(vm_site.kubectl("get nodes -o json"))["items"]
    found = {node["metadata"]["name"]: node["status"]["nodeInfo"]["architecture"] for node in nodes}
    assert found == {"cp1": "amd64", "pi1": "arm64"}


def test_the_node_was_prepared(vm_site: SiteUnderTest) -> None:
    loaded = vm_site.on("pi1", "cut -d' ' -f1 /proc/modules").split()
    assert {"br_netfilter", "overlay"} <= set(loaded)
    said = vm_site.on(
        "pi1", "sysctl -n net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables; cat /proc/swaps | wc -l"
    )
    assert said.split() == ["1", "1", "1"]


def test_the_model_server_is_an_arm64_program(vm_site: SiteUnderTest) -> None:
    ask = "python3 -c 'import platform; print(platform.machine())'"
    assert vm_site.kubectl(f"exec -n serving {_model_server(vm_site)} -- {ask}").strip() == "aarch64"


def test_the_kernel_has_mounted_the_model_store(vm_site: SiteUnderTest) -> None:
    mounts = vm_site.on("pi1", "findmnt --noheadings --raw --types nfs4 --output SOURCE,OPTIONS").splitlines()
    assert mounts
    for mount in mounts:
        source, options = mount.split()
        assert source.startswith(f"{vm_site.prefix}31:/export/models")
        assert {"ro", "vers=4.1", "hard"} <= set(options.split(","))


def test_a_second_up_changes_nothing_and_writes_on_no_host(vm_site: SiteUnderTest) -> None:
    vm_site.clear_journal()
    vm_site.up("--expect-no-changes")
    assert vm_site.writes() == []


def test_a_node_that_was_rebooted_comes_back_by_itself(vm_site: SiteUnderTest) -> None:
    before = vm_site.on("pi1", "cat /proc/sys/kernel/random/boot_id")
    vm_site.on("pi1", "systemctl reboot", status=None)
    _wait_until(vm_site, f"kubectl get node pi1 -o '{NODE_READY}'", "Unknown")
    _wait_until(vm_site, f"kubectl get node pi1 -o '{NODE_READY}'", "True")
    assert vm_site.on("pi1", "cat /proc/sys/kernel/random/boot_id") != before
    _wait_until(vm_site, "kubectl get deployments -n serving -o 'jsonpath={.items[*].status.readyReplicas}'", "1 1")
    answered = "curl -s -o /dev/null -w '%{http_code}' http://" + f"{vm_site.prefix}21:30080/v1/models/classifier"
    _wait_until(vm_site, answered, "200")
    vm_site.preview("--expect-no-changes")


def test_destroy_gives_the_machine_back(vm_site: SiteUnderTest) -> None:
    vm_site.destroy()
    assert vm_site.on("pi1", "ls /etc/rancher /usr/local/bin/k3s 2>/dev/null || true") == ""
    assert vm_site.on("pi1", "findmnt --noheadings --types nfs4 || true") == ""
    assert vm_site.on("pi1", "systemctl is-system-running").strip() == "running"
