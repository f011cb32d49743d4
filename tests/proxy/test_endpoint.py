"""What an endpoint answers to well-formed requests, over HTTP and the real protocol behind it."""

from __future__ import annotations

import gzip
import io
import json
import time
import zlib

import numpy as np
import pytest

from tests.proxy.fake_server import FakeServer
from tests.proxy.pictures import encoded, photo, photo_as_jpeg, plain
from tests.proxy.running import RunningProxy


def test_the_row_form_answers_predictions(proxy: RunningProxy) -> None:
    response = proxy.post("half", json={"instances": [1.0, 2.0, 5]})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"predictions": [2.5, 3.0, 4.5]}


@pytest.mark.parametrize("media_type", [None, "application/x-www-form-urlencoded", "application/octet-stream"])
def test_a_body_of_which_no_header_tells_what_it_is(proxy: RunningProxy, media_type: str | None) -> None:
    headers = {} if media_type is None else {"content-type": media_type}
    rows = proxy.post("half", content=b'{"instances": [1.0]}', headers=headers)
    assert rows.json() == {"predictions": [2.5]}
    picture = proxy.post("detector", content=encoded(plain(64, 64)), headers=headers)
    assert picture.json()["detections"] == []


def test_tensors_as_npy_both_ways(proxy: RunningProxy) -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    headers = {"content-type": "application/x-npy", "accept": "application/x-npy"}
    response = proxy.post("echo", content=npy(array), headers=headers)
    assert response.headers["content-type"] == "application/x-npy"
    answer = np.load(io.BytesIO(response.content), allow_pickle=False)
    assert answer.dtype == np.float32
    assert (answer == array).all()


def test_a_form_with_one_npy_for_each_input(proxy: RunningProxy) -> None:
    files = {"a": ("a.npy", npy(np.array([[1, 2]], np.int32))), "b": ("b.npy", npy(np.array([0.5], np.float32)))}
    answer = proxy.post("pair", files=files).json()
    assert answer == {"model": "pair", "version": "1", "outputs": {"total": [3.5], "words": [{"b64": "//4="}]}}
    one = proxy.post("pair:predict?output_filter=total", files=files).json()
    assert one["outputs"].keys() >= {"total"}


def npy(array: np.ndarray) -> bytes:
    """Return what numpy.save writes."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_a_packed_body_is_unpacked(proxy: RunningProxy) -> None:
    body = b'{"instances": [1.0]}'
    for encoding, packed in (("gzip", gzip.compress(body)), ("deflate", zlib.compress(body))):
        headers = {"content-type": "application/json", "content-encoding": encoding}
        assert proxy.post("half", content=packed, headers=headers).json() == {"predictions": [2.5]}


def test_the_column_form_answers_outputs(proxy: RunningProxy) -> None:
    assert proxy.post("half", json={"inputs": {"x": [1.0]}}).json() == {"outputs": [2.5]}
    assert proxy.post("half", json={"inputs": [1.0], "signature_name": "serving_default"}).json() == {"outputs": [2.5]}


def test_several_inputs_and_outputs_keep_their_names(proxy: RunningProxy) -> None:
    rows = {"instances": [{"a": [1, 2], "b": 1.0}, {"a": [3, 4], "b": 0.0}]}
    # The second word is no UTF-8, so that it comes as base64.
    assert proxy.post("pair", json=rows).json() == {
        "predictions": [{"total": 4.0, "words": "even"}, {"total": 7.0, "words": {"b64": "//4="}}]
    }
    columns = {"inputs": {"a": [[1, 2]], "b": [1]}}
    assert proxy.post("pair", json=columns).json() == {"outputs": {"total": [4.0], "words": ["even"]}}


def test_texts_and_base64_become_strings(proxy: RunningProxy) -> None:
    document = {"instances": ["four", {"b64": "AAECAwQ="}, "ü"]}
    assert proxy.post("words", json=document).json() == {"predictions": [4, 5, 2]}


def test_nan_and_infinity_become_null(proxy: RunningProxy) -> None:
    response = proxy.post("strange", json={"instances": [1.0]})
    assert json.loads(response.content, parse_constant=pytest.fail) == {"predictions": [None, None, None, 1.0]}


def test_large_tensors_pass_both_ways(proxy: RunningProxy) -> None:
    values = [[float(row + column) for column in range(1000)] for row in range(250)]
    assert proxy.post("echo", json={"instances": values}).json() == {"predictions": values}


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_detections_lie_on_the_source_picture(proxy: RunningProxy, ending: str) -> None:
    pixels = plain(256, 128)
    pixels[32:64, 64:96] = (0, 0, 255)
    pixels[96:128, 224:256] = (255, 0, 0)
    media_type = {".png": "image/png", ".jpg": "image/jpeg"}[ending]
    response = proxy.post("detector", content=encoded(pixels, ending), headers={"content-type": media_type})
    answer = response.json()
    assert answer["model"] == "detector"
    assert answer["version"] == "1"
    assert answer["image"] == {"width": 256, "height": 128}
    assert sorted((found["label"], found["class"], found["box"]) for found in answer["detections"]) == [
        ("blue", 2, [224, 96, 256, 128]),
        ("red", 0, [64, 32, 96, 64]),
    ]
    assert all(found["score"] == pytest.approx(0.9) for found in answer["detections"])


def test_a_picture_without_finds_answers_an_empty_list(proxy: RunningProxy) -> None:
    response = proxy.post("detector", content=encoded(plain(64, 64)), headers={"content-type": "image/png"})
    assert response.json()["detections"] == []


def test_a_form_with_a_file_answers_as_the_file_alone(proxy: RunningProxy) -> None:
    picture = photo_as_jpeg("astronaut.png")
    alone = proxy.post("classifier", content=picture, headers={"content-type": "image/jpeg"})
    form = proxy.post("classifier", files={"picture": ("astronaut.jpg", picture, "image/jpeg")})
    assert form.status_code == 200
    assert form.content == alone.content


def test_classifications_are_the_likeliest_first(proxy: RunningProxy) -> None:
    pixels = plain(64, 64, (50, 100, 50))
    answer = proxy.post("classifier", content=encoded(pixels), headers={"content-type": "image/png"}).json()
    assert answer["classifications"] == [
        {"label": "green", "class": 1, "score": 0.5},
        {"label": "red", "class": 0, "score": 0.25},
    ]


def test_a_tensor_model_with_a_picture_input_answers_its_tensors(proxy: RunningProxy) -> None:
    answer = proxy.post("pixels", content=encoded(plain(8, 8, (1, 2, 3))), headers={"content-type": "image/png"}).json()
    assert answer == {"model": "pixels", "version": "1", "outputs": {"image": [[[[3.0, 2.0, 1.0]] * 4] * 4]}}


def test_status_and_metadata_are_those_of_the_model_server(proxy: RunningProxy) -> None:
    status = {"version": "1", "state": "AVAILABLE"}
    assert proxy.get("/v1/models/half").json() == {"model_version_status": [status]}
    metadata = proxy.get("/v1/models/half/metadata").json()
    assert metadata["model_spec"] == {"name": "half", "signature_name": "", "version": "1"}
    signature = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["x"]["dtype"] == "DT_FLOAT"
    assert signature["inputs"]["x"]["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}]


def test_the_request_id_goes_to_the_model_server_the_answer_and_the_log(
    proxy: RunningProxy, model_server: FakeServer
) -> None:
    response = proxy.post("half", json={"instances": [1]}, headers={"x-request-id": "my-id-1"})
    assert response.headers["x-request-id"] == "my-id-1"
    assert "my-id-1" in model_server.request_ids
    line = next(line for line in proxy.read_log() if line.get("request_id") == "my-id-1")
    assert (line["event"], line["model"], line["status"], line["code"]) == ("request", "half", 200, "ok")
    assert list(line["stages"]) == ["decode", "encode", "model", "decode-answer", "postprocess", "write"]
    assert line["bytes"]["from-client"] == len(response.request.content)


def test_a_request_id_unfit_for_a_header_is_replaced(proxy: RunningProxy) -> None:
    response = proxy.post("half", json={"instances": [1]}, headers={"x-request-id": "a b\tc" * 60})
    assert len(response.headers["x-request-id"]) == 32


def test_the_deadline_reaches_the_model_server(proxy: RunningProxy, model_server: FakeServer) -> None:
    proxy.post("half", json={"instances": [1]}, headers={"x-request-timeout": "2.5"})
    # gRPC rounds the time it sends up a little.
    assert 1 < model_server.remaining_seconds[-1] < 2.6
    proxy.post("half", json={"instances": [1]}, headers={"x-request-timeout": "1000"})
    assert 3 < model_server.remaining_seconds[-1] < 5.1


def test_signatures_are_asked_for_once_and_again_after_a_new_version(
    proxy: RunningProxy, model_server: FakeServer
) -> None:
    proxy.post("cardless", json={"instances": [1]})
    before = model_server.metadata_calls
    start = time.monotonic()
    for _ in range(5):
        assert proxy.post("cardless", json={"instances": [1]}).status_code == 200
    if time.monotonic() - start < 3:
        assert model_server.metadata_calls <= before + 1
    model_server.models["cardless"].version = 2
    before = model_server.metadata_calls
    for _ in range(3):
        assert proxy.post("cardless", json={"instances": [1]}).status_code == 200
    assert model_server.metadata_calls >= before + 1


def test_health_answers_whatever_the_models_do(proxy: RunningProxy) -> None:
    assert proxy.get("/healthz").json() == {"status": "live"}
    assert proxy.get("/readyz").json() == {"status": "ready"}


def test_metrics_tell_each_stage_of_each_model(proxy: RunningProxy) -> None:
    proxy.post("detector", content=photo("coffee.png"), headers={"content-type": "image/png"})
    text = proxy.get("/metrics").text
    for stage in ("decode", "preprocess", "encode", "model", "decode-answer", "postprocess", "write"):
        assert f'kubevc_proxy_stage_seconds_count{{model="detector",stage="{stage}"}}' in text
    assert 'kubevc_proxy_requests_total{code="ok",model="detector",status="200"}' in text
    assert 'kubevc_proxy_bytes_total{leg="to-model",model="detector"}' in text
    assert "kubevc_proxy_in_flight 0.0" in text
    assert "process_resident_memory_bytes" in text
