import json
from pathlib import Path

import pytest

from experiments import phases
from experiments.phases import Span

URN = "urn:pulumi:stack::kubevc::"


def log_of(tmp_path: Path, *changes: tuple[str, int, int]) -> list[dict[str, object]]:
    """Write an engine's log of (types and name, begin, end) between two events of its own, and read it."""
    events = [{"timestamp": 100, "preludeEvent": {"config": {}}}]
    for urn, begin, end in changes:
        metadata = {"op": "create", "urn": URN + urn}
        events.append({"timestamp": begin, "resourcePreEvent": {"metadata": metadata}})
        events.append({"timestamp": end, "resOutputsEvent": {"metadata": metadata}})
    events.append({"timestamp": 160, "summaryEvent": {"resourceChanges": {}}})
    log = tmp_path / "events.jsonl"
    log.write_text("".join(json.dumps(event) + "\n" for event in events))
    return phases.read(log)


@pytest.mark.parametrize(
    ("types", "phase"),
    [
        ("kubevc:host:PreparedHost$edgehost:index:Packages", "environment"),
        ("kubevc:host:PreparedHost$edgehost:index:ContainerImages", "environment"),
        ("kubevc:cluster:Cluster$kubevc:k3s:K3sServer$edgehost:index:Unit", "initialise"),
        ("kubevc:cluster:Cluster$kubevc:kubeadm:KubeadmServer$edgehost:index:ControlPlane", "initialise"),
        ("kubevc:network:ClusterNetwork$kubevc:flannel:Flannel$kubernetes:apps/v1:DaemonSet", "initialise"),
        ("kubevc:join:Join$kubevc:kubeadm:KubeadmServer$edgehost:index:ClusterMember", "join"),
        ("kubevc:model_store:PublishedModels$edgehost:index:ModelFolder", "framework"),
        ("kubevc:serving:ModelServer$kubernetes:apps/v1:Deployment", "framework"),
        ("kubevc:endpoint:InferenceEndpoint$kubernetes:core/v1:Service", "endpoint"),
        ("kubevc:smoke:SmokeRequest$command:local:Command", "answer"),
        ("kubevc:workspace:SiteWorkspace$kubernetes:core/v1:Namespace", None),
        ("pulumi:providers:edgehost", None),
    ],
)
def test_a_resource_belongs_to_the_phase_of_its_outermost_component(types: str, phase: str | None) -> None:
    assert phases.phase_of(f"{URN}{types}::name") == phase


def test_work_is_counted_once_however_much_of_it_goes_on_and_not_while_a_phase_waits() -> None:
    span = Span(((0, 4), (2, 3), (3, 6), (20, 25), (25, 25)))
    assert (span.begin, span.end, span.lasted, span.worked) == (0, 25, 25, 11)


def test_spans_are_in_the_order_of_a_sites_story_and_components_count_for_nothing(tmp_path: Path) -> None:
    events = log_of(
        tmp_path,
        ("kubevc:join:Join::join-edge1", 101, 150),
        ("kubevc:join:Join$edgehost:index:ClusterMember::join-edge1-member", 120, 130),
        ("kubevc:host:PreparedHost$edgehost:index:Packages::environment-cp1", 103, 118),
        ("kubevc:host:PreparedHost$edgehost:index:Sysctls::environment-cp1", 104, 105),
    )
    assert phases.spans(events) == {"environment": Span(((103, 118), (104, 105))), "join": Span(((120, 130),))}
    assert list(phases.spans(events)) == ["environment", "join"]


def test_the_table_tells_begin_time_and_changes_of_each_phase_and_of_the_update(tmp_path: Path) -> None:
    events = log_of(tmp_path, ("kubevc:smoke:SmokeRequest$command:local:Command::smoke", 155, 158))
    assert [line.split() for line in phases.table(events).splitlines()] == [
        ["phase", "from", "s", "lasted", "s", "worked", "s", "changes"],
        ["answer", "55", "3", "3", "1"],
        ["in", "all", "0", "60", "1"],
    ]


def test_what_an_update_only_read_is_no_change(tmp_path: Path) -> None:
    metadata = {"op": "same", "urn": f"{URN}kubevc:host:PreparedHost$edgehost:index:Packages::environment-cp1"}
    log = tmp_path / "events.jsonl"
    log.write_text(json.dumps({"timestamp": 1, "resOutputsEvent": {"metadata": metadata}}) + "\n\n")
    assert phases.spans(phases.read(log)) == {}
