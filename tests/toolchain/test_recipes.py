"""The table of what is built from Go modules."""

from dataclasses import replace

import pytest

from toolchain import plugins, recipes
from toolchain.engine import VERSION
from toolchain.recipes import Recipe

NAMES = sorted(recipes.table())
PROGRAMS = (
    *(f"kube-{name}" for name in ("apiserver", "controller-manager", "proxy", "scheduler")),
    *("kubeadm", "kubectl", "kubelet"),
)
RELEASES = ("kubernetes", recipes.EARLIER_KUBERNETES)


def test_the_table_holds_engine_plugin_and_lab() -> None:
    lab = [
        *("coredns", "etcd", "flannel", "flannel-cni", "k3s", "kube-router"),
        *(f"{release}/{name}" for release in RELEASES for name in PROGRAMS),
    ]
    assert sorted([*lab, "language-python", "pulumi", "resource-kubernetes"]) == NAMES


@pytest.mark.parametrize("release", RELEASES)
def test_kubernetes_programs_share_their_modules_and_their_version(release: str) -> None:
    found = [recipe for key, recipe in recipes.table().items() if key.startswith(f"{release}/")]
    assert {recipe.sources.name for recipe in found} == {release}
    modules = (found[0].sources / "go.mod").read_text()
    staging = found[0].version.replace("v1.", "v0.")
    assert modules.count(f" {staging}\n") == modules.count("=>") > 0
    for recipe in found:
        assert recipe.package == f"k8s.io/kubernetes/cmd/{recipe.binary}"
        assert f"k8s.io/kubernetes {recipe.version} // indirect" in modules
        assert f"\t{recipe.package}\n" in modules


@pytest.mark.parametrize("release", RELEASES)
def test_kubernetes_programs_say_their_version_in_every_place_that_is_compared(release: str) -> None:
    flags = recipes.table()[f"{release}/kubelet"].link_flags
    version = recipes.table()[f"{release}/kubelet"].version
    major, minor, _ = version.removeprefix("v").split(".")
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        assert f"-X {package}.gitVersion={version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}" in flags


def test_an_upgrade_is_one_minor_version_and_its_two_versions_lie_side_by_side_in_the_cache() -> None:
    later, earlier = (recipes.table()[f"{release}/kubelet"] for release in RELEASES)
    minors = [int(recipe.version.split(".")[1]) for recipe in (earlier, later)]
    assert minors[0] + 1 == minors[1]
    assert earlier.name == later.name
    assert earlier.result("amd64") != later.result("amd64")


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("coredns", "github.com/coredns/coredns"),
        ("etcd", "go.etcd.io/etcd/server/v3"),
        ("flannel", "github.com/flannel-io/flannel"),
        ("kube-router", "github.com/cloudnativelabs/kube-router/v2"),
    ],
)
def test_a_version_is_that_of_the_module_which_is_built(name: str, module: str) -> None:
    recipe = recipes.table()[name]
    assert f"{module} v{recipe.version.removeprefix('v')} // indirect\n" in (recipe.sources / "go.mod").read_text()
    assert recipe.package.startswith(module)


def test_what_is_linked_with_c_code_for_an_image_needs_no_library() -> None:
    assert recipes.table()["flannel"].link_flags.endswith(" -extldflags=-static")
    assert "-extldflags" not in recipes.table()["k3s"].link_flags


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_pins_its_modules(name: str) -> None:
    sources = recipes.table()[name].sources
    assert (sources / "go.mod").exists()
    assert (sources / "go.sum").exists()


def test_what_is_copied_from_modules_at_build_time_is_not_kept_here() -> None:
    kept = {path.name for name in NAMES for path in recipes.table()[name].sources.iterdir()}
    assert kept == {"go.mod", "go.sum", "main.go"}


def test_versions_are_those_that_the_engine_and_the_lock_ask_for() -> None:
    lock = (recipes.GO_FOLDER.parent.parent / "uv.lock").read_text()
    assert recipes.table()["pulumi"].version == VERSION
    assert recipes.table()["resource-kubernetes"].version == plugins.KUBERNETES.version
    for plugin in plugins.ALL:
        assert f'name = "pulumi-{plugin.name}"\nversion = "{plugin.version}"' in lock


def test_link_flags_carry_the_version() -> None:
    flags = recipes.table()["k3s"].link_flags
    assert flags.startswith("-s -w -X github.com/k3s-io/k3s/pkg/version.Version=v1.26.2+k3s1 ")
    assert "k8s.io/component-base/version.gitVersion=v1.26.2+k3s1" in flags


def test_another_flag_is_another_place_in_the_cache_another_estimate_is_not() -> None:
    recipe = recipes.table()["k3s"]
    assert replace(recipe, tags=("other",)).folder("amd64") != recipe.folder("amd64")
    assert replace(recipe, minutes=99).folder("amd64") == recipe.folder("amd64")
    assert recipe.folder("arm64") != recipe.folder("amd64")


def test_another_module_sum_is_another_place_in_the_cache(go_folder: object, recipe: Recipe) -> None:
    before = recipe.fingerprint
    (recipe.sources / "go.sum").write_text("example.com/x v1.0.0 h1:0\n")
    assert recipe.fingerprint != before


@pytest.fixture
def recipe(go_folder: object) -> Recipe:
    made = Recipe(name="x", version="1", package=".", binary="x", cgo="off", minutes=1)
    made.sources.mkdir(parents=True)
    (made.sources / "go.mod").write_text("module example.com/x\n")
    return made
