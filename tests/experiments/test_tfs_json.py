import json

import numpy as np
import pytest

from experiments.rivals import tfs_json

ONE = {"y": np.float32([[1, 0.5], [0.1, 1e-7]])}
TWO = {"a": np.float32([1, 2]), "b": np.int32([[1, 2], [3, 4]])}


def test_columns_have_a_number_per_line() -> None:
    assert tfs_json.columns(ONE).decode() == (
        '{\n    "outputs": [\n        [\n            1.0,\n            0.5\n        ],\n'
        "        [\n            0.1,\n            1e-07\n        ]\n    ]\n}"
    )


def test_columns_of_several_outputs_stand_by_name() -> None:
    text = tfs_json.columns(TWO).decode()
    assert text.startswith(
        '{\n    "outputs": {\n        "a": [\n            1.0,\n            2.0\n        ],\n        "b": ['
    )
    assert json.loads(text) == {"outputs": {"a": [1, 2], "b": [[1, 2], [3, 4]]}}


def test_rows_have_an_instance_per_line() -> None:
    assert tfs_json.rows({"y": ONE["y"][:1]}).decode() == '{\n    "predictions": [[1.0, 0.5]\n    ]\n}'
    assert json.loads(tfs_json.rows(ONE)) == {"predictions": [[1, 0.5], [0.1, 1e-7]]}


def test_rows_of_several_outputs_are_objects() -> None:
    assert (
        tfs_json.rows(TWO)
        .decode()
        .startswith(
            '{\n    "predictions": [\n        {\n            "a": 1.0,\n            "b": [1, 2]\n        },\n        {'
        )
    )
    assert json.loads(tfs_json.rows(TWO)) == {"predictions": [{"a": 1, "b": [1, 2]}, {"a": 2, "b": [3, 4]}]}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.2, "0.2"),
        (1, "1.0"),
        (9000000, "9e+06"),
        (0.00003, "3e-05"),
        (1 / 3, "0.333333343"),
        (16777215, "16777215.0"),
    ],
)
def test_a_number_has_six_digits_where_they_are_enough_and_nine_otherwise(value: float, text: str) -> None:
    assert tfs_json.numbers(np.float32([value])) == [text]


def test_every_float_comes_back_to_the_bit() -> None:
    array = np.random.default_rng(0).normal(0, 1, 1000).astype(np.float32)
    assert np.array_equal(np.array(json.loads(tfs_json.columns({"y": array}))["outputs"], np.float32), array)


def test_row_requests_hold_an_object_per_instance_where_there_are_several_inputs() -> None:
    assert json.loads(tfs_json.row_request(TWO)) == {"instances": [{"a": 1, "b": [1, 2]}, {"a": 2, "b": [3, 4]}]}
    assert json.loads(tfs_json.column_request(TWO)) == {"inputs": {"a": [1, 2], "b": [[1, 2], [3, 4]]}}
