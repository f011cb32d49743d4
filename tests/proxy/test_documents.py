"""Configuration and model cards: what is read, and each mistake with its message."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from proxy.card import TENSOR_CARD, load_card
from proxy.config import ProxyConfig, load_config
from proxy.decoders.nanodet import Nanodet
from proxy.errors import ConfigError
from tests.proxy.running import ROOT

CARD = """
task: object-detection
input: {tensor: input_1, width-pixels: 416, height-pixels: 416, layout: NCHW, channels: BGR, resize: stretch,
        interpolation: bilinear, mean: [103.53,116.28,123.675], standard-deviation: [57.375,57.12,58.395]}
output: {decoder: nanodet, score-threshold: 0.35, iou-threshold: 0.5}
labels: labels.txt
"""


def write(folder: Path, text: str, name: str = "file.yaml") -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_text(text)
    return path


def test_a_configuration_is_read_with_defaults(tmp_path: Path) -> None:
    text = "models: [{name: detector, target: 'dns:///a:8500', card: cards/d.yaml}, {name: plain, target: 'b:8500'}]"
    config = load_config(write(tmp_path, text))
    assert config.listen.port_number == 8080
    assert (config.limits.max_body_bytes, config.limits.max_pixels) == (16 * 2**20, 50_000_000)
    assert (config.deadline_seconds, config.drain_seconds) == (10, 10)
    assert config.models[0].card == tmp_path / "cards/d.yaml"
    assert config.models[1].card is None


def test_the_smallest_configuration_is_an_empty_mapping(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, "{}")) == ProxyConfig()


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    text = (
        "limits: {max-body-mib: -1, max_pixel: 3}\ndeadline-seconds: soon\nmodels: [{name: a}, {name: a/b, target: c}]"
    )
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refusal:
        load_config(path)
    assert refusal.value.message == (
        f"{path}: limits > max-body-mib: input should be greater than 0 (found '-1'); "
        "limits > max_pixel: unknown key; "
        "deadline-seconds: input should be a valid number, unable to parse string as a number (found 'soon'); "
        "models > 0 > target: the key is missing; "
        "models > 1 > name: string should match pattern '^[A-Za-z0-9][A-Za-z0-9._-]*$' (found 'a/b'); "
        "models > 1 > target: value error, 'c' is no target; write host:port or dns:///host:port, several with commas "
        "(found 'c'). "
        "The proxy starts only with a file that it understands wholly. "
        "Mend the keys named here (docs/proxy.md lists them all)."
    )


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "models: [{name: a, target: 'x:1'}, {name: a, target: 'y:1'}]")
    with pytest.raises(ConfigError, match="model names must differ, these stand more than once: a"):
        load_config(path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- a\n- b", "no YAML mapping: a list at the top"),
        ("", "no YAML mapping: a NoneType at the top"),
        ("a: [", "no YAML mapping: while parsing a flow node"),
    ],
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        load_config(write(tmp_path, text))
    assert refusal.value.found.startswith(found)


def test_a_missing_file_ends_the_program_with_its_message(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "proxy", "--config", str(tmp_path / "none.yaml")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(f"{tmp_path}/none.yaml: the file cannot be read (")
    assert "Traceback" not in result.stderr


def test_a_card_is_read_with_its_labels(tmp_path: Path) -> None:
    write(tmp_path, "person\nbicycle\n", "labels.txt")
    card = load_card(write(tmp_path, CARD))
    assert card.labels == ("person", "bicycle")
    assert (card.label(1), card.label(2), card.label(-1)) == ("bicycle", None, None)
    assert card.document.output == Nanodet(decoder="nanodet", score_threshold=0.35, iou_threshold=0.5)
    assert card.document.input is not None
    assert card.document.input.shape == (1, 3, 416, 416)


def test_a_model_without_a_card_is_a_tensor_model() -> None:
    assert load_card(None) is TENSOR_CARD
    assert TENSOR_CARD.document.task == "tensor"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("object-detection", "image-classification", "task image-classification cannot be answered with output > "),
        ("object-detection", "tensor", "task tensor cannot be answered with output > decoder nanodet"),
        ("output: {decoder: nanodet, score-threshold: 0.35, iou-threshold: 0.5}", "", "cannot be answered with no"),
        ("labels: labels.txt", "", "task object-detection needs the sections input and labels"),
        ("nanodet", "ssd", "output: input tag 'ssd' found using 'decoder' does not match any of the expected tags"),
        ("stretch", "squeeze", "input > resize: input should be 'stretch', 'letterbox' or 'center-crop'"),
        ("0.35", "35", "output > nanodet > score-threshold: input should be less than or equal to 1"),
        ("mean: [103.53,116.28,123.675]", "mean: [1]", "input > mean > 1: the key is missing"),
        ("57.375", "0", "a standard-deviation must not be 0"),
    ],
)
def test_a_card_with_a_mistake_is_refused(tmp_path: Path, old: str, new: str, found: str) -> None:
    write(tmp_path, "person", "labels.txt")
    assert old in CARD
    with pytest.raises(ConfigError) as refusal:
        load_card(write(tmp_path, CARD.replace(old, new)))
    assert found in refusal.value.found


@pytest.mark.parametrize(
    ("labels", "found"),
    [("", "an empty file"), ("a\n\nb", "3 lines, empty ones among them"), (None, "the file cannot be read (")],
)
def test_labels_that_cannot_be_counted_on_are_refused(tmp_path: Path, labels: str | None, found: str) -> None:
    if labels is not None:
        write(tmp_path, labels, "labels.txt")
    with pytest.raises(ConfigError) as refusal:
        load_card(write(tmp_path, CARD))
    assert refusal.value.where == str(tmp_path / "labels.txt")
    assert refusal.value.found.startswith(found)
