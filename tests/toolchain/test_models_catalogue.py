"""The models' cards, labels and identities."""

import sys
from pathlib import Path

import pytest

from proxy.card import load_card
from toolchain.models import __main__ as command
from toolchain.models import labels, pictures, recipe, source
from toolchain.models.catalogue import CATALOGUE, Model
from toolchain.models.errors import ConversionError, SourceError

SCRIPT = """
exports.IMAGENET_CLASSES = {
    0: 'tench, Tinca tinca',
    1: 'a long name, ' +
        'on two lines',
    2: 'carpenter\\'s kit',
%s
};
//# sourceMappingURL=imagenet_classes.js.map
"""


def script(folder: Path, count: int) -> Path:
    path = folder / "imagenet_classes.js"
    path.write_text(SCRIPT % ",\n".join(f"    {number}: 'class {number}'" for number in range(3, count)))
    return path


def test_coco_has_its_80_classes_in_the_usual_order() -> None:
    coco = labels.coco()
    assert len(set(coco)) == 80
    assert (coco[0], coco[3], coco[41], coco[79]) == ("person", "motorcycle", "cup", "toothbrush")


def test_imagenet_labels_are_read_across_lines_and_quotes(tmp_path: Path) -> None:
    found = labels.imagenet(script(tmp_path, 1000))
    assert found[:4] == ["tench, Tinca tinca", "a long name, on two lines", "carpenter's kit", "class 3"]
    assert len(found) == 1000


def test_a_script_with_too_few_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="the table of 1000 classes is not in it"):
        labels.imagenet(script(tmp_path, 999))


@pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.name)
def test_the_proxy_reads_the_card(model: Model, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(recipe.card(model).read_text())
    (tmp_path / "labels.txt").write_text("one\n")
    assert load_card(tmp_path / "model.yaml").document.input


@pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.name)
def test_every_source_of_a_model_is_pinned(model: Model) -> None:
    assert {model.weights, *model.sources} <= source.load().keys()
    assert model.licence_file in source.load()[model.weights].files


def test_a_model_is_current_only_with_this_recipe() -> None:
    model = CATALOGUE[0]
    assert not recipe.is_current(model)
    recipe.folder(model).mkdir(parents=True)
    recipe.stamp(model, recipe.folder(model))
    assert recipe.is_current(model)
    (recipe.folder(model) / ".recipe").write_text("of last week")
    assert not recipe.is_current(model)


def test_two_models_have_two_identities() -> None:
    assert len({recipe.identity(model) for model in CATALOGUE}) == len(CATALOGUE)


def test_the_pictures_come_with_their_licences() -> None:
    pytest.importorskip("skimage")
    pictures.copy()
    assert pictures.are_present()
    note = (pictures.folder() / "LICENCES.txt").read_text()
    assert all(picture.name in note for picture in pictures.PICTURES)


def test_a_changed_picture_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "skimage" / "data").mkdir(parents=True)
    (tmp_path / "skimage" / "__init__.py").touch()
    (tmp_path / "skimage" / "data" / "coffee.png").write_bytes(b"tea")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "skimage", raising=False)
    with pytest.raises(SourceError, match=r"coffee\.png: it is missing, or is not the picture"):
        pictures.copy()


def test_an_unknown_model_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["detecter"])
    assert "no model is named detecter; there are: detector, classifier" in capsys.readouterr().err
