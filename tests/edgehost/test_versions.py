"""Versions of Kubernetes: their order, and which changes are refused in which words."""

import pytest

from edgehost.versions import KubernetesVersion, change_problem, kubelet_problem


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("v1.34.1", (1, 34, 1, 0)),
        ("v1.26.2+k3s1", (1, 26, 2, 1)),
        ("1.9.10", (1, 9, 10, 0)),
        ("v1.35.0-rc.1+k3s3", (1, 35, 0, 3)),
        ("v1.34.1-dirty", (1, 34, 1, 0)),
    ],
)
def test_a_version_is_read(text: str, numbers: tuple[int, int, int, int]) -> None:
    found = KubernetesVersion.parse(text)
    assert (found.major, found.minor, found.patch, found.build) == numbers


@pytest.mark.parametrize("text", ["", "latest", "v1.34", "v1.34.1.2", "v1.34.x"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no version of Kubernetes"):
        KubernetesVersion.parse(text)


def test_versions_are_ordered_by_number_and_not_by_text() -> None:
    texts = ["v1.9.11", "v1.26.2+k3s1", "v1.26.2+k3s10", "v1.26.10", "v1.34.1", "v2.0.0"]
    assert sorted(texts, key=KubernetesVersion.parse) == texts


@pytest.mark.parametrize(
    ("others", "nearest"),
    [
        (["v1.34.0", "v1.34.9", "v1.35.1", "v1.33.1"], "v1.34.9"),
        (["v1.31.9", "v1.33.1", "v1.36.0"], "v1.33.1"),
        (["v1.33.9", "v1.35.0", "v2.34.1"], "v1.35.0"),
    ],
)
def test_the_nearest_version_is_the_newest_of_the_nearest_series(others: list[str], nearest: str) -> None:
    found = KubernetesVersion.parse("v1.34.1").nearest(map(KubernetesVersion.parse, others))
    assert found == KubernetesVersion.parse(nearest)


@pytest.mark.parametrize(
    ("running", "wanted"),
    [
        ("v1.34.1", "v1.34.1"),
        ("v1.34.1", "v1.34.2"),
        ("v1.33.9", "v1.34.0"),
        ("v1.26.2+k3s1", "v1.26.2+k3s2"),
        ("v1.26.2+k3s1", "v1.27.0+k3s1"),
    ],
)
def test_a_step_forward_within_the_next_minor_version_is_fine(running: str, wanted: str) -> None:
    assert change_problem(running, wanted) is None


@pytest.mark.parametrize(
    ("running", "wanted"),
    [("v1.34.1", "v1.34.0"), ("v1.34.1", "v1.33.9"), ("v1.26.2+k3s2", "v1.26.2+k3s1"), ("v2.0.0", "v1.40.0")],
)
def test_no_step_leads_back(running: str, wanted: str) -> None:
    problem = change_problem(running, wanted)
    assert problem is not None
    assert problem.found == f"{wanted}, older than {running}, which the cluster runs"
    assert problem.why == "An older version may not be able to read what a newer one has stored."
    assert problem.fix == f"Write {running} or a newer one; for an older cluster, destroy this one first."


def test_a_step_over_a_minor_version_names_the_one_between() -> None:
    assert change_problem("v1.32.4", "v1.34.1") == (
        "v1.34.1, 2 minor versions after v1.32.4, which the cluster runs",
        "A cluster is upgraded from one minor version to the next; what is stored is carried over at each step.",
        "Go through a v1.33 release first.",
    )


@pytest.mark.parametrize(
    ("kubelet", "api_server"),
    [
        ("v1.34.1", "v1.34.1"),
        ("v1.34.3", "v1.34.1"),
        ("v1.31.0", "v1.34.1"),
        ("v1.25.0", "v1.28.0"),
        ("v1.24.0", "v1.26.0"),
    ],
)
def test_a_kubelet_may_be_somewhat_older(kubelet: str, api_server: str) -> None:
    assert kubelet_problem(kubelet, api_server) is None


def test_a_kubelet_is_never_newer() -> None:
    assert kubelet_problem("v1.35.0", "v1.34.1") == (
        "a kubelet of v1.35.0 beside an API server of v1.34.1",
        "A kubelet asks for what only an API server of its own age or newer has.",
        "Upgrade the control plane to v1.35 before the node.",
    )


@pytest.mark.parametrize(
    ("kubelet", "api_server", "behind"),
    [("v1.30.9", "v1.34.1", 3), ("v1.25.1", "v1.29.0", 3), ("v1.24.1", "v1.27.0", 2)],
)
def test_a_kubelet_that_is_too_old_is_named(kubelet: str, api_server: str, behind: int) -> None:
    problem = kubelet_problem(kubelet, api_server)
    assert problem is not None
    assert problem.found == f"a kubelet of {kubelet} beside an API server of {api_server}"
    assert f"may be at most {behind} minor versions older than the API server." in problem.why
    assert problem.fix.startswith("Take the node out of the site's file,")
