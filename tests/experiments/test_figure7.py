from pathlib import Path

import numpy as np
import pytest

from experiments.figure7.drawing import draw
from experiments.figure7.results import Row, bytes_table, summary_table, times
from experiments.figure7.ways import JSON, OURS, PROTOBUF, passage
from experiments.paper import YOLO
from experiments.rivals import tfs_json
from experiments.rivals.tfs_rest import spread

ROWS = [
    Row(YOLO, way, number, milliseconds + number, 1, milliseconds - 1, 1, sent, 10)
    for number in range(3)
    for way, milliseconds, sent in ((JSON, 999, 990), (PROTOBUF, 199, 90), (OURS, 9, 0))
]


@pytest.mark.parametrize("shape", [(3,), (1, 4), (2, 3), (2, 1, 3), (1, 2, 3, 4)])
def test_blanks_are_put_where_tensorflow_serving_puts_them(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) / 4
    compact = f'{{"outputs":{str(array.tolist()).replace(" ", "")}}}'.encode()
    assert spread(compact) == tfs_json.columns({"y": array})


def test_an_answer_of_several_outputs_is_not_spread() -> None:
    with pytest.raises(ValueError, match="one output"):
        spread(b'{"outputs":{"a":[1.0],"b":[2.0]}}')


def test_savings_stand_beside_the_papers() -> None:
    assert summary_table(ROWS).rows[0][4:] == ("80.0 %", "75.0 %", "99.0 %", "100")
    assert bytes_table(ROWS).rows[0] == (YOLO, 1000, 100, 10, "90.0 %", "85.4 %", "99.0 %", "100")


def test_a_passage_times_its_parts_and_counts_both_bodies() -> None:
    gone = passage(lambda: b"request", lambda body: body + b" answered", len)
    assert (gone.sent, gone.received) == (7, 16)
    assert gone.milliseconds == gone.encode + gone.trip + gone.decode


def test_the_drawing_is_a_png(tmp_path: Path) -> None:
    draw(tmp_path / "figure.png", times(ROWS), {YOLO: "a note"}, "title")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
