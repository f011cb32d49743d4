"""What a lab's definition, and the rest of what a person types, is refused for."""

from pathlib import Path

import pytest

from lab.architecture import own
from lab.definition import EDGE_LAB, load
from lab.errors import DefinitionError
from lab.instance import InstanceFolder
from lab.network import bridge_name

FOREIGN = "amd64" if own() == "arm64" else "arm64"

GOOD = """
network: 10.98.7.0/24
profiles:
  small: {cpus: 1, memory-mib: 512}
hosts:
  - {name: edge1, number: 12, profile: small}
"""


def test_the_lab_of_the_edge_lab_site_is_as_documented() -> None:
    lab = load()
    hosts = {host.name: (str(lab.address(host)), host.profile, host.image) for host in lab.hosts}
    assert hosts == {
        "cp1": ("10.99.0.11", "server", "base"),
        "edge1": ("10.99.0.12", "raspberry-pi-4", "base"),
        "nfs1": ("10.99.0.31", "store", "store"),
    }


def test_another_network_moves_every_address() -> None:
    lab = load(EDGE_LAB, "10.98.7.0/24")
    assert [str(lab.address(host)) for host in lab.hosts] == ["10.98.7.11", "10.98.7.12", "10.98.7.31"]


@pytest.mark.parametrize(
    ("find", "replace", "said"),
    [
        ("number: 12", "numbr: 12", "hosts > 0 > numbr: Extra inputs are not permitted"),
        ("cpus: 1", "cpus: 0", "profiles > small > cpus: Input should be greater than 0"),
        ("profile: small", "profile: tiny", "hosts > edge1 > profile: there is no profile 'tiny'"),
        ("number: 12", "number: 255", "hosts > edge1 > number: 255 is outside of 10.98.7.0/24"),
        ("name: edge1", "name: edge-number-1", "hosts > 0 > name: String should match pattern"),
        ("10.98.7.0/24", "10.98.7.0/33", "network: Input is not a valid IPv4 network"),
        ("small}", f"small, architecture: {FOREIGN}}}", f"hosts > edge1 > architecture: containers run {own()} here"),
        ("small}", "small, kind: vm, image: store}", "hosts > edge1 > image: a virtual machine has no image 'store'"),
    ],
)
def test_a_definition_that_cannot_be_says_where(tmp_path: Path, find: str, replace: str, said: str) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(GOOD.replace(find, replace))
    with pytest.raises(DefinitionError) as caught:
        load(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert said in message
    assert "  why it matters: no host was started\n" in message
    assert message.endswith(f"  what to do: compare it with {EDGE_LAB}")


def test_all_problems_are_told_together(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(GOOD + "  - {name: edge1, number: 12, profile: tiny}\n")
    with pytest.raises(DefinitionError) as caught:
        load(file)
    for said in ("the name edge1 is there twice", "the number 12 is there twice", "there is no profile 'tiny'"):
        assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"cannot be read \(No such file or directory\)"):
        load(tmp_path / "none.yaml")


@pytest.mark.parametrize("name", ["Edge", "a-name-that-is-much-too-long", "1st", "a.b", "../x", ""])
def test_a_name_that_does_not_fit_is_refused(name: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        InstanceFolder(name)
    assert str(caught.value) == (
        f"--name {name}: is not a name for an instance: 1 to 24 lower-case letters, digits and dashes\n"
        "  why it matters: folders, namespaces and control groups of this machine are called after it\n"
        "  what to do: choose another: python -m lab up --name edge-lab"
    )


def test_bridges_of_long_names_are_short_and_differ() -> None:
    names = {bridge_name(name) for name in ("edge-lab", "edge-lab-kubeadm", "edge-lab-kubernetes", "edge-labora")}
    assert len(names) == 4
    assert all(len(name) <= 15 for name in names)
    assert "lab-edge-lab" in names
