"""One mistake per file in `cases/`; the file's name is the mistake, its `says` the words a person reads."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.errors import SiteFileError
from components.load import LoadedSite
from tests.components.recording import record

CASES = sorted(Path(__file__).with_name("cases").glob("*.yaml"))


def spoil(data: dict[str, Any], case: dict[str, Any]) -> None:
    """Change a site as a case says; steps of a path are joined by dots."""
    for path, value in case.get("set", {}).items():
        holder, key = _holder(data, path)
        holder[key] = value
    for path in case.get("unset", []):
        holder, key = _holder(data, path)
        del holder[key]


def _holder(data: Any, path: str) -> tuple[Any, Any]:
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        data = data[step]
    return data, last


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_the_mistake_is_told_in_four_parts(
    file: Path, machine: Path, site_data: dict[str, Any], load: Callable[[dict[str, Any]], LoadedSite]
) -> None:
    case = yaml.safe_load(file.read_text())
    spoil(site_data, case)
    for name in case.get("remove", []):
        (machine / name).unlink()
    for name, text in case.get("write", {}).items():
        (machine / name).write_text(text)
    with pytest.raises(SiteFileError) as refused:
        load(site_data)
    said = [str(problem).replace(str(machine), "MACHINE") for problem in refused.value.problems]
    expected = case["says"].rstrip("\n").replace("\n  ", "\n    ")
    assert expected in said


def test_the_valid_site_is_accepted(site_data: dict[str, Any], load: Callable[[dict[str, Any]], LoadedSite]) -> None:
    loaded = load(site_data)
    assert [node.name for node in loaded.site.servers] == ["cp1"]
    assert loaded.sources[0].latest == "1"


def test_all_problems_of_a_file_are_told_together(
    site_data: dict[str, Any], load: Callable[[dict[str, Any]], LoadedSite]
) -> None:
    site_data["colour"] = "red"
    site_data["nodes"][0]["role"] = "boss"
    del site_data["smoke"]
    with pytest.raises(SiteFileError) as refused:
        load(site_data)
    assert [problem.where for problem in refused.value.problems] == ["nodes > 1 > role", "smoke", "colour"]
    assert str(refused.value).startswith("Pulumi.test.yaml: 3 problems\n")


def test_all_broken_rules_are_told_together(
    site_data: dict[str, Any], load: Callable[[dict[str, Any]], LoadedSite]
) -> None:
    site_data["nodes"][1] |= {"address": "192.0.2.11", "role": "server", "name": "cp1"}
    with pytest.raises(SiteFileError) as refused:
        load(site_data)
    assert [problem.where for problem in refused.value.problems] == ["nodes > 2 > name", "nodes > 2 > address", "nodes"]


def test_vocabularies_that_the_endpoint_cannot_be_handed(
    machine: Path, site_data: dict[str, Any], load: Callable[[dict[str, Any]], LoadedSite]
) -> None:
    (machine / "detector/model.yaml").write_text("task: tensor\ntext: {vocabulary: vocab.txt}\n")
    (machine / "detector/vocab.txt").write_text("word\n" * 180_001)
    with pytest.raises(SiteFileError, match=r"the largest .*/detector/vocab\.txt") as refused:
        load(site_data)
    assert [problem.where for problem in refused.value.problems] == ["models"]


def test_a_vocabulary_reaches_the_endpoint_beside_its_card(machine: Path, site_data: dict[str, Any]) -> None:
    (machine / "detector/model.yaml").write_text("task: tensor\ntext: {vocabulary: vocab.txt}\n")
    (machine / "detector/vocab.txt").write_text("[PAD]\nword\n")
    data = record(site_data).named("endpoint-config").inputs["data"]
    assert data["detector.vocab.txt"] == "[PAD]\nword\n"
