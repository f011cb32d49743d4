"""Annotated pictures: what is drawn where, and what stays as it was."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from proxy.decoders.results import Classifications, Detections
from proxy.pictures.annotate import annotate
from proxy.pictures.header import read_header
from tests.proxy.pictures import photo, saved, tiff

GREY = np.full((300, 400, 3), 128, np.uint8)
LABELS = ("cat", "dog", "Fußgänger")


def boxes(*rows: tuple[float, float, float, float], classes: tuple[int, ...]) -> Detections:
    """Return detections of falling score."""
    scores = np.linspace(0.9, 0.5, len(rows), dtype=np.float32)
    return Detections(boxes=np.float32(rows).reshape(-1, 4), scores=scores, classes=np.array(classes, np.intp))


def annotated(
    data: bytes, found: Detections | Classifications, media_type: str = "image/png", labels: tuple[str, ...] = LABELS
) -> np.ndarray:
    """Annotate a picture and read it with another library."""
    picture = Image.open(io.BytesIO(annotate(data, read_header(data), found, labels, media_type)))
    assert picture.get_format_mimetype() == media_type
    return np.asarray(picture.convert("RGB"))


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return where a picture was drawn on."""
    return (before != after).any(axis=2)


def test_a_box_is_drawn_where_it_was_found_and_nowhere_else() -> None:
    drawn = changed(GREY, annotated(saved(GREY, "PNG"), boxes((100, 150, 200, 250), classes=(0,))))
    assert drawn[250, 100:200].all() and drawn[150:250, 100].all() and drawn[150:250, 200].all()
    assert not drawn[153:248, 103:198].any()
    drawn[:, 99:202] = False
    assert not drawn.any()


def test_neighbouring_classes_have_different_colours() -> None:
    after = annotated(saved(GREY, "PNG"), boxes((10, 100, 50, 200), (100, 100, 150, 200), classes=(0, 1)))
    assert np.abs(after[150, 10].astype(int) - after[150, 100]).max() > 60


def test_the_strongest_box_lies_over_the_others() -> None:
    after = annotated(saved(GREY, "PNG"), boxes((50, 50, 100, 100), (50, 50, 100, 100), classes=(0, 1)))
    alone = annotated(saved(GREY, "PNG"), boxes((50, 50, 100, 100), classes=(0,)))
    assert after[75, 50].tolist() == alone[75, 50].tolist()


@pytest.mark.parametrize(
    "box", [(0, 0, 400, 300), (390, 0, 400, 5), (-5, -5, 3, 3), (0, 299, 400, 300), (200, 100, 200, 100)]
)
def test_a_box_at_the_edge_is_drawn_with_its_label_inside_of_the_picture(box: tuple[int, int, int, int]) -> None:
    drawn = changed(GREY, annotated(saved(GREY, "PNG"), boxes(box, classes=(2,))))
    assert drawn.sum() > 500


def test_classes_are_listed_one_below_the_other() -> None:
    scores, classes = np.float32([0.7, 0.2, 0.1]), np.array([2, 0, 1])
    after = annotated(saved(GREY, "PNG"), Classifications(scores=scores, classes=classes))
    lines = [number for number, row in enumerate(changed(GREY, after)) if row[0]]
    assert lines == list(range(len(lines)))
    plates = np.array_split(after[: len(lines)], 3)
    assert len({tuple(np.median(plate[:, :30].reshape(-1, 3), axis=0)) for plate in plates}) == 3


@pytest.mark.parametrize(
    "found", [boxes(classes=()), Classifications(scores=np.float32([]), classes=np.array([], int))]
)
def test_nothing_found_is_the_picture_itself(found: Detections | Classifications) -> None:
    data = photo("coffee.png")
    assert np.array_equal(annotated(data, found), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def test_a_turned_picture_is_drawn_on_upright() -> None:
    data = saved(GREY, "JPEG", exif=b"Exif\x00\x00" + tiff(6))
    after = annotated(data, boxes((20, 300, 280, 380), classes=(0,)))
    assert after.shape == (400, 300, 3)
    assert changed(np.full((400, 300, 3), 128), after)[380, 20:280].all()


def test_a_jpeg_is_nearly_the_png() -> None:
    found = boxes((100, 150, 200, 250), classes=(7,))
    data = photo("astronaut.png")
    one, other = annotated(data, found, "image/jpeg"), annotated(data, found, "image/png")
    assert np.abs(one.astype(int) - other).mean() < 5
