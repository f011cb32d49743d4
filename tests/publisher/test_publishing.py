"""A model's folder in, a folder with more signatures out, and nothing that was there before is changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from proxy.card import load_card
from proxy.pictures.preprocess import normalise
from proxy.signature_names import signature_names
from publisher.__main__ import main
from publisher.errors import FolderError, MismatchError
from tests.publisher.conftest import CLASSIFIER, Publish, by_command, write_card

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 8, 12, 3), np.uint8)


def signatures(folder: Path) -> Any:
    """Load the signatures of version 1."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder / "1"))
    # The functions do not keep alive what they belong to.
    return {name: (loaded, call) for name, call in loaded.signatures.items()}


def ask(folder: Path, name: str, **inputs: Any) -> dict[str, np.ndarray]:
    """Call a signature of version 1."""
    import tensorflow as tf

    _, call = signatures(folder)[name]
    return {key: value.numpy() for key, value in call(**{k: tf.constant(v) for k, v in inputs.items()}).items()}


def arrays() -> np.ndarray:
    """Return the pixels as the proxy would send them in float32."""
    spec = load_card_of(CLASSIFIER)
    return np.concatenate([normalise(picture, spec, np.dtype(np.float32)) for picture in PIXELS])


def load_card_of(card: dict[str, Any]) -> Any:
    """Return section `input` of a card."""
    from proxy.card import CardDocument

    return CardDocument.model_validate(card).input


def names(folder: Path) -> Any:
    """Return the names of the signatures of a folder's card."""
    return signature_names(load_card(folder / "model.yaml").document)


def bytes_of(folder: Path) -> dict[str, str]:
    """Return the checksum of every file of a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_original_signature_answers_as_before_to_the_bit(classifier: Path, published: Path) -> None:
    for signature, inputs in {
        "serving_default": {"image": arrays()},
        "last": {"pooled": np.eye(64, dtype="f4")},
    }.items():
        before, after = ask(classifier, signature, **inputs), ask(published, signature, **inputs)
        assert before.keys() == after.keys()
        for output in before:
            np.testing.assert_array_equal(before[output], after[output])


def test_pixels_give_what_the_normalised_array_gives_to_the_bit(classifier: Path, published: Path) -> None:
    before, after = (
        ask(classifier, "serving_default", image=arrays()),
        ask(published, names(published).pixels, pixels=PIXELS),
    )
    for output in before:
        np.testing.assert_array_equal(before[output], after[output])


def test_a_jpeg_of_the_models_size_gives_what_its_pixels_give(published: Path) -> None:
    files = [cv2.imencode(".jpg", picture[..., ::-1])[1].tobytes() for picture in PIXELS]
    decoded = np.stack([cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR_RGB) for file in files])
    by_file = ask(published, names(published).encoded, encoded=files)
    by_pixels = ask(published, names(published).pixels, pixels=decoded)
    np.testing.assert_array_equal(by_file["probabilities"], by_pixels["probabilities"])


def test_a_grey_jpeg_is_taken_and_each_file_may_have_its_own_size(published: Path) -> None:
    grey = cv2.imencode(".jpg", PIXELS[0, :, :, 0])[1].tobytes()
    large = cv2.imencode(".jpg", np.full((100, 40, 3), 90, np.uint8))[1].tobytes()
    assert ask(published, names(published).encoded, encoded=[grey, large])["probabilities"].shape == (2, 4)


@pytest.mark.parametrize("k", [0, 1, 3, 4, 9])
def test_the_likeliest_classes_are_those_of_the_scores(published: Path, k: int) -> None:
    scores = ask(published, names(published).pixels, pixels=PIXELS)["probabilities"]
    answer = ask(published, names(published).pixels_answer, pixels=PIXELS, k=np.int32(k))
    wanted = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(answer["classes"], wanted)
    np.testing.assert_array_equal(answer["scores"], np.take_along_axis(scores, wanted, 1))


def test_weights_are_stored_once_and_methods_are_kept(classifier: Path, published: Path) -> None:
    from publisher.saved_model import signature_definitions

    sizes = [
        sum(file.stat().st_size for file in (folder / "1" / "variables").iterdir())
        for folder in (classifier, published)
    ]
    assert sizes[1] < sizes[0] + 1000
    assert signature_definitions(published / "1")["last"].method_name == "tensorflow/serving/classify"


def test_what_stands_beside_the_versions_comes_along(classifier: Path, published: Path) -> None:
    assert (published / "LICENSE").read_text() == "for tests"
    assert (published / "model.yaml").read_bytes() == (classifier / "model.yaml").read_bytes()


def test_the_same_model_gives_the_same_bytes(classifier: Path, published: Path, tmp_path: Path) -> None:
    by_command(classifier, tmp_path / "again")
    assert bytes_of(tmp_path / "again") == bytes_of(published)


def test_the_original_is_only_read(classifier: Path, publish: Publish, tmp_path: Path) -> None:
    before = bytes_of(classifier)
    publish(classifier, tmp_path / "out")
    assert bytes_of(classifier) == before


def test_a_model_that_has_them_already_is_copied(published: Path, publish: Publish, tmp_path: Path) -> None:
    (report,) = publish(published, tmp_path / "out")
    assert (report.added, report.note) == ((), "it has the signatures of this card already")
    assert bytes_of(tmp_path / "out") == bytes_of(published)


def test_after_an_edit_of_the_card_the_stale_signatures_are_replaced(
    classifier: Path, published: Path, publish: Publish, tmp_path: Path
) -> None:
    shutil.copytree(published, tmp_path / "edited")
    edited = CLASSIFIER | {"input": CLASSIFIER["input"] | {"mean": [0, 0, 0]}}
    write_card(tmp_path / "edited", edited)
    publish(tmp_path / "edited", tmp_path / "out")
    new, stale = names(tmp_path / "out"), names(published)
    found = set(signatures(tmp_path / "out"))
    assert {new.pixels, new.encoded, new.pixels_answer, new.encoded_answer, "serving_default", "last"} == found
    assert stale.pixels not in found
    before = ask(classifier, "serving_default", image=arrays())
    np.testing.assert_array_equal(
        before["probabilities"], ask(tmp_path / "out", "serving_default", image=arrays())["probabilities"]
    )
    # Published over and over, a model must not grow.
    direct = tmp_path / "direct"
    shutil.copytree(classifier, tmp_path / "plain")
    write_card(tmp_path / "plain", edited)
    publish(tmp_path / "plain", direct)
    again, once = ((folder / "1" / "saved_model.pb").stat().st_size for folder in (tmp_path / "out", direct))
    assert again < once * 1.2


def test_weights_in_constants_are_stored_once_too(publish: Publish, tmp_path: Path) -> None:
    from tests.publisher.small_models import save_frozen_detector

    card = {
        "task": "object-detection",
        "input": {"tensor": "image", "width-pixels": 8, "height-pixels": 8, "layout": "NCHW", "channels": "BGR"},
        "output": {"decoder": "centernet"},
        "labels": "labels.txt",
    }
    write_card(tmp_path / "plain", card)
    save_frozen_detector(tmp_path / "plain" / "1")
    publish(tmp_path / "plain", tmp_path / "out")
    sizes = [(tmp_path / name / "1" / "saved_model.pb").stat().st_size for name in ("plain", "out")]
    assert sizes[1] < sizes[0] + 150_000
    settings = {"score_threshold": np.float32(0.3), "iou_threshold": np.float32(0.5), "max_detections": np.int32(9)}
    pixels = np.full((1, 8, 8, 3), 204, np.uint8)
    answer = ask(tmp_path / "out", names(tmp_path / "out").pixels_answer, pixels=pixels, **settings)
    np.testing.assert_allclose(answer["detections"], [[[0, 0, 4, 4, 0.8, 1], [4, 4, 8, 8, 0.4, 2]]], rtol=1e-6)


def test_a_model_without_a_picture_is_copied(classifier: Path, publish: Publish, tmp_path: Path) -> None:
    shutil.copytree(classifier, tmp_path / "plain")
    write_card(tmp_path / "plain", {"task": "tensor"})
    (report,) = publish(tmp_path / "plain", tmp_path / "out")
    assert report.note == "its card describes no picture"
    assert bytes_of(tmp_path / "out" / "1") == bytes_of(classifier / "1")


BAD_INPUTS = {
    "name": ({"tensor": "picture"}, "the card wants one input, 'picture', and the model has the inputs image"),
    "size": ({"width-pixels": 16}, "the card wants an input of shape ['N', 8, 16, 3], and the model has the shape"),
    "layout": ({"layout": "NCHW"}, "the card wants an input of shape ['N', 3, 8, 12]"),
}
BAD_OUTPUTS = {
    "tensor": (
        {"decoder": "top-k", "tensor": "scores"},
        "the model has the outputs pooled [N, 64], probabilities [N, 4]",
    ),
    "classes": ({"decoder": "top-k", "tensor": "pooled"}, "The card's decoder reads 'pooled' of shape [N, 4]"),
    "decoder": ({"decoder": "nanodet"}, "The card's decoder reads an output of shape [N, 2, 4]"),
}


@pytest.mark.parametrize(
    ("section", "keys", "message"),
    [("input", *case) for case in BAD_INPUTS.values()] + [("output", *case) for case in BAD_OUTPUTS.values()],
    ids=[*BAD_INPUTS, *BAD_OUTPUTS],
)
def test_a_card_that_does_not_fit_is_refused_and_nothing_is_written(
    classifier: Path, publish: Publish, tmp_path: Path, section: str, keys: dict[str, Any], message: str
) -> None:
    shutil.copytree(classifier, tmp_path / "plain")
    changed = CLASSIFIER[section] | keys if section == "input" else keys
    task = "object-detection" if keys.get("decoder") == "nanodet" else CLASSIFIER["task"]
    write_card(tmp_path / "plain", CLASSIFIER | {section: changed, "task": task})
    with pytest.raises(MismatchError) as refused:
        publish(tmp_path / "plain", tmp_path / "out")
    assert message in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["plain"]


def test_a_failure_leaves_what_was_published_before(
    classifier: Path, published: Path, publish: Publish, tmp_path: Path
) -> None:
    shutil.copytree(classifier, tmp_path / "plain")
    shutil.copytree(published, tmp_path / "out")
    (tmp_path / "plain" / "1" / "saved_model.pb").write_bytes(b"cut off")
    with pytest.raises(FolderError, match="no SavedModel"):
        publish(tmp_path / "plain", tmp_path / "out")
    assert bytes_of(tmp_path / "out") == bytes_of(published)
    assert {path.name for path in tmp_path.iterdir()} == {"plain", "out"}


def test_a_folder_of_something_else_is_not_replaced(classifier: Path, publish: Publish, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("dear")
    with pytest.raises(FolderError, match="something is there that is no model's folder"):
        publish(classifier, tmp_path / "letters")
    assert (tmp_path / "letters" / "one.txt").read_text() == "dear"
    with pytest.raises(FolderError, match="the model's own folder"):
        publish(classifier, classifier)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("model.yaml", "no model.yaml. The card says how a picture becomes the model's input"),
        ("labels.txt", "the file cannot be read"),
        ("1", "no numbered folder with a saved_model.pb"),
        (".", "no such folder"),
    ],
)
def test_a_folder_with_something_missing_is_refused(
    classifier: Path, tmp_path: Path, missing: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "plain"
    shutil.copytree(classifier, folder)
    if (folder / missing).is_dir():
        shutil.rmtree(folder / missing)
    else:
        (folder / missing).unlink()
    assert main(["--model", str(folder), "--out", str(tmp_path / "out")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_tensorflow_it_says_how_to_get_it(classifier: Path, tmp_path: Path) -> None:
    code = (
        "import sys, importlib.util as util; found = util.find_spec; "
        "util.find_spec = lambda name, *rest: None if name == 'tensorflow' else found(name, *rest); "
        "from publisher.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--model", str(classifier), "--out", str(tmp_path / "out")],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "publisher: this Python environment: no TensorFlow. The added signatures are written with it. "
        "Run: uv sync --group reference.\n"
    )
