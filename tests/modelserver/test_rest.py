"""What a client sees over REST, on both runtimes."""

from __future__ import annotations

import gzip
import json
import socket

import pytest

from tests.modelserver.running import Client

ROWS = {"instances": [[1.0, 2.0], [3.0, 4.0]]}


def test_rows_in_rows_out(client: Client) -> None:
    assert client.rest("/v1/models/add:predict", ROWS) == (200, {"predictions": [[4.0, 5.0], [6.0, 7.0]]})


def test_columns_in_columns_out(client: Client) -> None:
    answer = client.rest("/v1/models/add:predict", {"inputs": ROWS["instances"]})
    assert answer == (200, {"outputs": [[4.0, 5.0], [6.0, 7.0]]})
    named = client.rest("/v1/models/add:predict", {"inputs": {"x": ROWS["instances"]}})
    assert named == answer


def test_versions_and_labels_are_part_of_the_path(client: Client) -> None:
    assert client.rest("/v1/models/add/versions/2:predict", ROWS)[1] == {"predictions": [[3.0, 4.0], [5.0, 6.0]]}
    assert client.rest("/v1/models/add/labels/stable:predict", ROWS)[1] == {"predictions": [[2.0, 3.0], [4.0, 5.0]]}


def test_several_inputs_and_outputs_have_names(client: Client) -> None:
    row = {"a": [1, 2, 3], "b": [2, 2, 2]}
    expected = {"sum": [3.0, 4.0, 5.0], "product": [2.0, 4.0, 6.0]}
    assert client.rest("/v1/models/many:predict", {"instances": [row, row]}) == (
        200,
        {"predictions": [expected, expected]},
    )
    columns = {"a": [[1, 2, 3]], "b": [[2, 2, 2]]}
    assert client.rest("/v1/models/many:predict", {"inputs": columns}) == (
        200,
        {"outputs": {name: [value] for name, value in expected.items()}},
    )


def test_a_signature_may_be_named(client: Client) -> None:
    document = {"signature_name": "picture", "instances": [[[[255, 255, 255]] * 2] * 2]}
    assert client.rest("/v1/models/many:predict", document) == (200, {"predictions": [1.0]})
    whole = {"signature_name": "integers", "inputs": {"n": [1], "m": [3]}}
    status, answer = client.rest("/v1/models/many:predict", whole)
    assert (status, answer) == (200, {"outputs": {"n": [2], "m": [6]}})
    assert isinstance(answer["outputs"]["n"][0], int)


def test_a_float32_is_written_with_the_digits_that_it_needs(client: Client) -> None:
    request = b'{"instances": [[0.1, 1e-7]]}'
    status, answer = client.rest("/v1/models/add/versions/1:predict", request)
    assert (status, json.dumps(answer)) == (200, '{"predictions": [[1.1, 1.0000001]]}')


def test_nan_and_infinity_pass_both_ways_as_bare_words(client: Client) -> None:
    status, answer = client.rest("/v1/models/add:predict", b'{"instances": [[NaN, Infinity], [-Infinity, 0.5]]}')
    assert status == 200
    assert json.dumps(answer) == '{"predictions": [[NaN, Infinity], [-Infinity, 3.5]]}'


def test_a_body_may_be_gzipped(client: Client) -> None:
    body = gzip.compress(json.dumps(ROWS).encode())
    assert client.rest("/v1/models/add:predict", body, {"Content-Encoding": "gzip"})[0] == 200
    status, answer = client.rest("/v1/models/add:predict", b"plain", {"Content-Encoding": "gzip"})
    assert status == 400
    assert answer["error"].startswith("The body is not gzip")


def test_strings_are_text_or_base64(client: Client, runtime: str) -> None:
    if runtime != "tensorflow":
        pytest.skip("OpenVINO serves no strings")
    document = {"instances": ["abc", {"b64": "AP8="}]}
    assert client.rest("/v1/models/text:predict", {"instances": ["abc"]}) == (
        200,
        {"predictions": [{"upper": "ABC", "raw_bytes": {"b64": "YWJj"}}]},
    )
    assert client.rest("/v1/models/text:predict", document)[1]["predictions"][1]["raw_bytes"] == {"b64": "AP8="}


@pytest.mark.parametrize(
    ("path", "document", "status", "error"),
    [
        ("/v1/models/nope:predict", ROWS, 404, "Servable not found for request: Latest(nope)"),
        ("/v1/models/add/versions/9:predict", ROWS, 404, "Servable not found for request: Specific(add, 9)"),
        ("/v1/models/add/labels/beta:predict", ROWS, 400, "Unrecognized servable version label: beta"),
        (
            "/v1/models/add/versions/99999999999999999999:predict",
            ROWS,
            400,
            "Failed to convert version: 99999999999999999999 to numeric.",
        ),
        ("/v1/models/add:explain", ROWS, 400, "Malformed request: POST /v1/models/add:explain"),
        ("/v1/models/add", ROWS, 400, "Malformed request: POST /v1/models/add"),
        ("/v1/models/add:predict", None, 400, "Malformed request: GET /v1/models/add:predict"),
        ("/v1/models", None, 400, "Missing model name in request."),
        ("/v1/models/nope", None, 404, "Could not find any versions of model nope"),
        ("/v1/models/add/versions/9", None, 404, "Could not find version 9 of model add"),
        ("/v1/models/nope/metadata", None, 404, "Servable not found for request: Latest(nope)"),
        ("/elsewhere", None, 404, "Not Found: /elsewhere"),
        ("/v1/models/add:predict", b"", 400, "JSON Parse error: The document is empty"),
        ("/v1/models/add:predict", b"[1]", 400, "JSON Value: [1] Is not object"),
        ("/v1/models/add:predict", {}, 400, "Missing 'inputs' or 'instances' key"),
        (
            "/v1/models/add:predict",
            {"signature_name": "x", **ROWS},
            400,
            'Serving signature name: "x" not found in signature def',
        ),
        (
            "/v1/models/add:predict",
            {"instances": [[1, 2, 3]]},
            400,
            "Input x must be of shape [-1, 2] (-1: any size), and shape [1, 3] was sent",
        ),
        (
            "/v1/models/add:predict",
            {"instances": [["a", "b"]]},
            400,
            'JSON Value: [["a", "b"]] is not of expected type: float',
        ),
    ],
)
def test_errors_have_tensorflow_servings_status_and_words(
    client: Client, path: str, document: object, status: int, error: str
) -> None:
    assert client.rest(path, document) == (status, {"error": error})


def test_text_that_is_no_json_is_told_where(client: Client) -> None:
    status, answer = client.rest("/v1/models/add:predict", b'{"instances": [')
    assert status == 400
    assert answer["error"].startswith("JSON Parse error: ")


def test_status_has_the_known_form(client: Client) -> None:
    entry = {"version": "2", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert client.rest("/v1/models/add/versions/2") == (200, {"model_version_status": [entry]})
    assert [version["version"] for version in client.rest("/v1/models/add")[1]["model_version_status"]] == [
        "3",
        "2",
        "1",
    ]
    assert client.rest("/v1/models/add/labels/stable")[1]["model_version_status"][0]["version"] == "1"


def test_metadata_has_the_known_form(client: Client) -> None:
    status, answer = client.rest("/v1/models/add/metadata")
    assert status == 200
    assert answer["model_spec"] == {"name": "add", "signature_name": "", "version": "3"}
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"]["x"]["dtype"] == "DT_FLOAT"
    assert signature["inputs"]["x"]["tensor_shape"] == {
        "dim": [{"size": "-1", "name": ""}, {"size": "2", "name": ""}],
        "unknown_rank": False,
    }


def test_metrics_count_requests_under_tensorflow_servings_names(client: Client, runtime: str) -> None:
    def counted() -> float:
        page = client.rest("/monitoring/prometheus/metrics")[1]
        lines = [
            line
            for line in page.splitlines()
            if line.startswith(':tensorflow:serving:request_count{model_name="add",status="OK"}')
        ]
        return float(lines[0].rsplit(" ", 1)[1])

    client.rest("/v1/models/add:predict", ROWS)
    before = counted()
    client.rest("/v1/models/add:predict", ROWS)
    assert counted() == before + 1
    page = client.rest("/monitoring/prometheus/metrics")[1]
    assert f':tensorflow:serving:runtime_latency_count{{API="Predict",model_name="add",runtime="{runtime}"}}' in page
    assert 'kubevc_modelserver_version_state{model_name="add",state="AVAILABLE",version="3"} 1.0' in page


def test_invented_model_names_make_no_series(client: Client) -> None:
    client.rest("/v1/models/invented-by-a-client:predict", ROWS)
    page = client.rest("/monitoring/prometheus/metrics")[1]
    assert "invented-by-a-client" not in page
    assert 'request_count{model_name="(unknown)",status="NOT_FOUND"}' in page


def test_one_connection_carries_many_requests(client: Client) -> None:
    with socket.create_connection(("127.0.0.1", client.rest_port), timeout=10) as connection:
        for _ in range(3):
            connection.sendall(b"GET /v1/models/add/versions/1 HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def exchange(port: int, request: bytes) -> bytes:
    """Send bytes, close the sending side, and return all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            return answer.read()


def test_a_body_may_come_in_chunks(client: Client) -> None:
    head = b"POST /v1/models/add:predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b'e;a=b\r\n{"instances": \r\n8\r\n[[1, 2]]\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n'
    following = b"GET /v1/models/add/versions/1 HTTP/1.1\r\nHost: a\r\n\r\n"
    answer = exchange(client.rest_port, head + chunks + following)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert b'{"predictions":[[4.0,5.0]]}' in answer


@pytest.mark.parametrize(
    ("headers", "body", "error"),
    [
        ("Transfer-Encoding: chunked", b"no", "The body is not in chunks, as its Transfer-Encoding says"),
        ("Transfer-Encoding: gzip", b"", "The length of the body is not given; send Content-Length"),
        ("Content-Length: many", b"", "The length of the body is not given; send Content-Length"),
        ("Content-Length: 9999999999", b"", "The body is larger than 1 GiB"),
        ("Content-Length: 9", b"{}", "The body ended after 2 of 9 bytes"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_and_the_connection_closed(
    client: Client, headers: str, body: bytes, error: str
) -> None:
    head = f"POST /v1/models/add:predict HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n".encode()
    answer = exchange(client.rest_port, head + body)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Connection: close" in answer
    assert json.loads(answer.split(b"\r\n\r\n", 1)[1]) == {"error": error}
