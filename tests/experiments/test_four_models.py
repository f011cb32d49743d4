from pathlib import Path

import numpy as np
import pytest
import yaml

from experiments import detector, four_models
from experiments.loopback_model import write_answer, write_request
from experiments.paper import MEBIBYTE, TABLE_5, deviation_percent
from proxy.config import load_config
from proxy.server import load_cards


@pytest.mark.parametrize("models", [four_models, detector], ids=["four models", "detector"])
def test_the_proxy_takes_the_cards(models, tmp_path: Path) -> None:
    (tmp_path / "proxy.yaml").write_text(yaml.safe_dump({"models": models.write(tmp_path, "127.0.0.1:1")}))
    assert load_cards(load_config(tmp_path / "proxy.yaml")).keys() == models.models().keys()


def test_the_text_has_the_tokens_that_it_says() -> None:
    arrays = four_models.token_arrays()
    assert arrays["input_mask"].sum() == four_models.TEXT_TOKENS
    assert np.count_nonzero(arrays["input_ids"]) == four_models.TEXT_TOKENS


@pytest.mark.parametrize("name", four_models.PICTURE_MODELS)
def test_the_papers_protobuf_sizes_come_out(name: str) -> None:
    model = four_models.PICTURE_MODELS[name]
    request = write_request(name, {model.tensor: np.zeros(model.array_shape, np.float32)})
    assert deviation_percent(len(request), TABLE_5[name].input_protobuf) == 0
    assert deviation_percent(len(write_answer(name, model.outputs())), TABLE_5[name].output_protobuf) == 0


@pytest.mark.parametrize(
    ("mebibytes", "printed", "deviation"),
    [(0.00351, 0.004, 0), (0.00449, 0.004, 0), (0.00008, 0.0001, 0), (5.5, 5.0, 10), (63.593 * 0.98, 63.593, -2)],
)
def test_a_deviation_begins_where_the_paper_would_print_something_else(
    mebibytes: float, printed: float, deviation: float
) -> None:
    assert deviation_percent(round(mebibytes * MEBIBYTE), printed) == pytest.approx(deviation, abs=1e-3)


def test_a_detector_has_one_more_signature_from_way_to_way() -> None:
    counts = [len(detector.models()[way]) for way in detector.WAYS]
    assert counts == [1, 2, 3, 4]
