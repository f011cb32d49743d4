"""The table of what is built from Go modules."""

from dataclasses import replace

import pytest

from toolchain import plugins, recipes
from toolchain.engine import VERSION
from toolchain.recipes import Recipe

NAMES = sorted(recipes.table())


def test_the_table_holds_engine_plugin_and_lab() -> None:
    assert NAMES == ["coredns", "flannel-cni", "k3s", "language-python", "pulumi", "resource-kubernetes"]


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
