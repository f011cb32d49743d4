import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.paper import AGENT, K3S, KUBEADM, SERVER
from experiments.table4.__main__ import Repeat, write
from experiments.table4.accounts import NoAccount, Use, pods, use
from experiments.table4.idle import COUNTED, HOST, PODS, IdleHost, Reading, hosts_of, site_pods, watch
from experiments.table4.processes import Process, cpu_seconds_between, named, processes
from experiments.table4.results import BARE, CLUSTER, Idle, parts, processes_table, use_table
from experiments.table4.settling import Settled, alike, settle
from lab import cgroup, instance
from tests.experiments.trial_replay import ReplayedTrial

MEBIBYTE = 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
UID = "0b1c5a52-77f5-4a2f-9d36-0f9f4a1f5c11"


def group(root: Path, version: int, name: str, cpu_seconds: int, held: int, unused: int) -> list[Path]:
    """Make a control group of cgroup v1 (two hierarchies and the v2 tree beside them) or v2; return its folders."""
    folders = [root / hierarchy / name for hierarchy in (("unified", "cpuacct", "memory") if version == 1 else ("",))]
    for folder in folders:
        folder.mkdir(parents=True)
    if version == 1:
        (folders[0] / "cpu.stat").write_text("usage_usec 5\n")
        (folders[1] / "cpuacct.usage").write_text(f"{cpu_seconds * 1_000_000_000}\n")
        (folders[2] / "memory.usage_in_bytes").write_text(f"{held}\n")
        (folders[2] / "memory.stat").write_text(f"inactive_file 1\ntotal_inactive_file {unused}\n")
    else:
        (folders[0] / "cpu.stat").write_text(f"usage_usec {cpu_seconds * 1_000_000}\nuser_usec 1\n")
        (folders[0] / "memory.current").write_text(f"{held}\n")
        (folders[0] / "memory.stat").write_text(f"anon 1\ninactive_file {unused}\n")
    return folders


@pytest.mark.parametrize("version", [1, 2])
def test_a_group_tells_cpu_and_working_set(tmp_path: Path, version: int) -> None:
    assert use(group(tmp_path, version, "host", 7, 1000, 300)) == Use(7, 700)


@pytest.mark.parametrize("version", [1, 2])
def test_the_working_set_is_never_below_nothing(tmp_path: Path, version: int) -> None:
    assert use(group(tmp_path, version, "host", 7, 100, 300)).memory_bytes == 0


@pytest.mark.parametrize("missing", ["CPU", "memory"])
def test_a_group_without_an_account_is_told_with_its_folder(tmp_path: Path, missing: str) -> None:
    folders = group(tmp_path, 2, "host", 7, 1000, 300)
    (tmp_path / "host" / ("cpu.stat" if missing == "CPU" else "memory.current")).unlink()
    with pytest.raises(NoAccount) as caught:
        use(folders)
    assert str(caught.value) == (
        f"{tmp_path}/host: no {missing} is counted here\n"
        "  why it matters: what the host or pod uses cannot be told\n"
        "  what to do: see that it still runs (python -m lab status --name NAME), then measure again"
    )


@pytest.mark.parametrize(
    "name", [f"kubepods/burstable/pod{UID}", f"kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice"]
)
def test_pods_are_found_as_either_cgroup_driver_names_them(tmp_path: Path, name: str) -> None:
    folders = group(tmp_path, 1, f"payload/{name}", 1, 2, 0)
    tops = [tmp_path / hierarchy for hierarchy in ("unified", "cpuacct", "memory")]
    assert pods(tops, ["another", UID]) == [folders]


def test_the_sites_pods_are_those_outside_of_the_clusters_namespaces() -> None:
    listing = f"kube-system_coredns-5d_1111\nserving_detector-0_{UID}\nkube-flannel_flannel-x_2222\n"
    assert site_pods(listing) == [UID]


def test_hosts_are_known_by_the_labs_facts_and_their_control_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = {"hosts": [{"name": "cp1", "cpus": 0.5}, {"name": "edge1", "cpus": 4000}, {"name": "nfs1", "cpus": 1}]}
    (tmp_path / "t4-k3s").mkdir()
    (tmp_path / "t4-k3s" / "lab.json").write_text(json.dumps(lab))
    monkeypatch.setattr(instance, "STATE", tmp_path)
    monkeypatch.setattr(cgroup, "hierarchies", lambda: [tmp_path / "cgroup"])
    monkeypatch.setattr(ReplayedTrial, "did", [], raising=False)
    (pod,) = group(tmp_path, 2, "cgroup/kubevc-lab/t4-k3s/edge1/payload/kubepods/pod2222", 1, 2, 0)
    trial: Any = ReplayedTrial("t4-k3s", "10.99.66.", tmp_path, like="edge-lab")
    server, agent = hosts_of(trial, K3S, with_pods=True)
    assert (server.node, agent.node) == ("k3s server", "k3s agent")
    assert (server.role, server.name, server.cpus, server.pods) == (SERVER, "cp1", 0.5, [])
    assert (agent.role, agent.name, agent.cpus, agent.pods) == (AGENT, "edge1", os.cpu_count(), [[pod]])
    assert server.folders == [tmp_path / "cgroup" / "kubevc-lab" / "t4-k3s" / "cp1"]
    assert not any(host.pods for host in hosts_of(trial, K3S, with_pods=False))


def test_processes_are_read_with_odd_names_and_without_those_that_ended(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    times, sizes = "250 50 0 0 20 0 4 0 1234", "99999 256 18446744073709551615"
    (tmp_path / "7" / "stat").write_text(f"7 (a (b) c) S 1 7 7 0 -1 4194560 10 0 0 0 {times} {sizes} 1 1 0\n")
    assert processes([7, 8], tmp_path) == {7: Process("a (b) c", 3.0, 256 * PAGE)}


def test_long_names_are_known_by_what_the_kernel_keeps_of_them() -> None:
    running = {1: Process("kube-controller", 0, 0), 2: Process("kube-proxy", 0, 0), 3: Process("kube-apiserver", 0, 0)}
    assert set(named(running, ["kube-controller-manager", "kube-proxy"])) == {1, 2}


def test_cpu_of_processes_counts_new_ones_from_their_start() -> None:
    before = {1: Process("k3s", 10, 0), 9: Process("gone", 100, 0)}
    assert cpu_seconds_between(before, {1: Process("k3s", 12, 0), 2: Process("k3s", 3, 0)}) == 5


def reading(at: float, host: tuple[float, int], pod: tuple[float, int], k3s: tuple[float, int]) -> Reading:
    running = {1: Process("k3s", k3s[0], k3s[1] * MEBIBYTE), 2: Process("init", 0, MEBIBYTE)}
    host_use, pod_use = (Use(cpu, memory * MEBIBYTE) for cpu, memory in (host, pod))
    return Reading(at=at, host=host_use, pods=pod_use, processes=running)


BARE_READINGS = [reading(second, (second * 0.01, 40), (0, 0), (0, 0)) for second in (0, 5, 10)]


def host_of(distribution: str = K3S, role: str = SERVER) -> IdleHost:
    return IdleHost(distribution=distribution, role=role, name="cp1", cpus=2, folders=())


def idle(host: IdleHost, number: int = 1, more: int = 0) -> Idle:
    """Return a host whose pods hold so many MiB more, and use as many per cent more of a core."""
    with_site = [
        reading(100 + s, (9 + s * (0.2 + more / 100), 900 + more), (1 + s * (0.05 + more / 100), 300 + more), k3s)
        for s, k3s in ((s, (2 + s * 0.1, 500)) for s in (0, 5, 10))
    ]
    return Idle(number=number, host=host, bare=BARE_READINGS, with_site=with_site)


def repeat(number: int, *idles: Idle) -> Repeat:
    quiet = Settled(20, quiet=True)
    return Repeat(number=number, idles=idles, bare_hosts_quiet=quiet, sites_quiet=quiet)


def test_samples_are_what_was_used_between_two_readings() -> None:
    found = idle(host_of()).samples()
    assert [sample.second for sample in found] == [5, 10]
    assert found[0].cpu_percent == pytest.approx({HOST: 20, PODS: 5, COUNTED: 10})
    assert found[0].memory_mib == {HOST: 900, PODS: 300, COUNTED: 500}


def test_the_clusters_own_use_is_the_whole_without_bare_host_and_pods() -> None:
    repeats = [idle(host_of(), number, more) for number, more in ((1, 0), (2, 7))]
    cluster = next(part for part in parts(repeats) if part.name == CLUSTER)
    assert [use.cpu for use in cluster.uses] == pytest.approx([14, 14])
    assert [use.memory for use in cluster.uses] == [560, 560]


def test_parts_stand_beside_each_other_and_the_paper_beside_what_it_counted() -> None:
    rows = {row[1]: row for row in use_table([idle(host_of())]).rows}
    assert rows[BARE] == ("k3s server", BARE, "1 (1-1)", "0.5", "40 (40-40)", "", "")
    assert rows[COUNTED] == ("k3s server", COUNTED, "10 (10-10)", "5", "500 (500-500)", "2.2", "777.3")


def test_repeats_of_a_node_are_told_by_their_quartiles() -> None:
    repeats = [idle(host_of(), number, more) for number, more in ((1, 0), (2, 4), (3, 8))]
    other = idle(host_of(KUBEADM), 1)
    rows = {(row[0], row[1]): row for row in use_table([repeats[0], other, *repeats[1:]]).rows}
    assert rows["k3s server", PODS][2:5] == ("9 (7-11)", "4.5", "304 (302-306)")
    assert rows["kubeadm server", PODS][2:5] == ("5 (5-5)", "2.5", "300 (300-300)")


def test_processes_of_one_name_are_one_row_the_largest_first() -> None:
    assert processes_table([idle(host_of())]).rows == [
        ("k3s server", "k3s", 1, "10", "500"),
        ("k3s server", "init", 1, "0", "1"),
    ]


def test_a_process_of_the_papers_that_never_ran_is_told(tmp_path: Path) -> None:
    report = write([repeat(1, idle(host_of()), idle(host_of(KUBEADM, AGENT)))], {}, 1, tmp_path)
    assert report.remarks[1:] == [f"kubeadm agent: no process {name} was seen." for name in ("kube-proxy", "kubelet")]


def test_files_lie_in_one_folder_and_every_sample_is_in_the_csv(tmp_path: Path) -> None:
    repeats = [repeat(number, idle(host_of(), number), idle(host_of(role=AGENT), number)) for number in (1, 2)]
    write(repeats, {K3S: {"kubernetes": "v1"}}, 10, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("samples.csv", "idle-use.csv", "processes.csv", "tables.md", "table4.png", "versions.json")
    }
    # Per repeat and node two samples of the bare host, and two of each of the three parts with the site.
    assert len((tmp_path / "samples.csv").read_text().splitlines()) == 1 + 2 * 2 * (2 + 2 * 3)
    assert (tmp_path / "table4.png").read_bytes().startswith(b"\x89PNG")
    assert [about["number"] for about in json.loads((tmp_path / "versions.json").read_text())["repeats"]] == [1, 2]


def test_a_host_is_watched_at_even_distances(tmp_path: Path) -> None:
    folders = group(tmp_path, 2, "host", 7, 1000, 300)
    (folders[0] / "cgroup.procs").write_text("")
    host = replace(host_of(), folders=folders, pods=[group(tmp_path, 2, "pod", 1, 10, 0)])
    found = watch([host], seconds=0.2, every=0.05)["k3s server"]
    assert [(one.host, one.pods) for one in found] == [(Use(7, 700), Use(1, 10))] * 5
    assert 0.15 < found[-1].at - found[0].at < 5


@pytest.mark.parametrize(
    ("earlier", "later", "verdict"),
    [(5, 6.9, True), (5, 7.1, False), (100, 109, True), (100, 111, False), (100, 89, False)],
)
def test_windows_are_alike_within_two_points_or_a_tenth(earlier: float, later: float, verdict: bool) -> None:
    assert alike({"cp1": earlier, "edge1": 1}, {"cp1": later, "edge1": 1}) is verdict


def test_settling_ends_at_the_first_pair_of_windows_that_are_alike() -> None:
    begin = time.monotonic()
    settled = settle(lambda: {"cp1": 0.0}, window_seconds=0.02, patience_seconds=60)
    assert settled.quiet
    assert 0.03 < settled.seconds <= time.monotonic() - begin


def test_settling_has_a_bound_and_says_that_it_was_reached() -> None:
    used = iter(range(1000))
    settled = settle(lambda: {"cp1": float(next(used)) ** 3}, window_seconds=0.02, patience_seconds=0.1)
    assert not settled.quiet


def test_the_paper_has_every_distribution_and_role() -> None:
    for distribution in (K3S, KUBEADM):
        for role in (SERVER, AGENT):
            assert use_table([idle(host_of(distribution, role))]).rows[-1][-1]
