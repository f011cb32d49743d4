"""Ten thousand hostile requests: each is refused in the one form of errors, and the proxy stays as it was."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.proxy.conftest import proxy_config, write_cards
from tests.proxy.fake_models import all_models
from tests.proxy.fake_server import serving
from tests.proxy.pictures import encoded, photo, photo_as_jpeg, plain
from tests.proxy.running import RunningProxy, running
from tests.proxy.test_lifecycle import MEBIBYTE, resident_bytes

REQUESTS = 10_000
WARM_UP = 2_000

Sent = tuple[str, bytes, dict[str, str]]
"""Path, body and headers of a request."""

JPEG = photo_as_jpeg("coffee.png")[:40_000]
PNG = photo("coffee.png")[:20_000]
SMALL = encoded(plain(32, 32))
HEADERS = ("content-type", "accept", "content-encoding", "x-request-timeout", "inference-header-content-length")
MEDIA_TYPES = (
    "application/json",
    "application/x-npy",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/plain",
    "text/uri-list",
    "video/mp4",
    "multipart/form-data; boundary=B",
    "application/octet-stream",
)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with some of them changed, left out or repeated."""
    content = bytearray(data)
    for _ in range(chance.randint(1, 20)):
        place = chance.randrange(len(content))
        kind = chance.randrange(3)
        if kind == 0:
            content[place] = chance.randrange(256)
        elif kind == 1:
            del content[place : place + chance.randrange(1, 64)]
        else:
            content[place:place] = content[place : place + chance.randrange(64)]
        if not content:
            content = bytearray(b"\0")
    return bytes(content)


def picture(chance: random.Random) -> Sent:
    """A picture that is damaged or cut off."""
    data = chance.choice((JPEG, PNG, SMALL))
    data = damaged(data, chance) if chance.random() < 0.5 else data[: chance.randrange(len(data))]
    return (
        "/v1/models/detector:predict",
        data,
        {"content-type": chance.choice(("image/jpeg", "image/png", "image/webp"))},
    )


def huge_picture(chance: random.Random) -> Sent:
    """A small file that claims to be a picture of any size."""
    header = bytearray(SMALL)
    header[16:24] = chance.getrandbits(64).to_bytes(8, "big")
    return "/v1/models/detector:predict", bytes(header), {"content-type": "image/png"}


def deep_json(chance: random.Random) -> Sent:
    """Lists in lists, closed or not."""
    depth = chance.randrange(2, 3000)
    body = b'{"instances": ' + b"[" * depth + (b"]" * depth + b"}" if chance.random() < 0.5 else b"")
    return "/v1/models/half:predict", body, {"content-type": "application/json"}


def strange_json(chance: random.Random) -> Sent:
    """JSON that is no predict request, or of values that no model takes."""
    values = [None, True, "text", {"b64": "!"}, [[1], [2, 3]], [1, "a"], 10**400, [[]], {"x": {}}, -1e400, "\ud800"]
    key = chance.choice(("instances", "inputs", "examples", "id"))
    document = {key: chance.choice(values), chance.choice(("a", "b", "signature_name")): chance.choice(values)}
    verb = chance.choice(("predict", "classify", "regress"))
    return f"/v1/models/half:{verb}", json.dumps(document).encode(), {"content-type": "application/json"}


def bomb(chance: random.Random) -> Sent:
    """A compressed body of nothing but zeros, or a damaged one."""
    data = gzip.compress(bytes(4 * 2**20)) if chance.random() < 0.2 else damaged(zlib.compress(b"[1]"), chance)
    return "/v1/models/half:predict", data, {"content-type": "application/json", "content-encoding": "gzip"}


def form(chance: random.Random) -> Sent:
    """A form with any number of parts that are no pictures."""
    part = b'--B\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n' + chance.randbytes(20) + b"\r\n"
    body = part * chance.randrange(60) + chance.choice((b"--B--\r\n", b"--B", b""))
    return "/v1/models/detector:predict", damaged(body or b"x", chance), {"content-type": MEDIA_TYPES[8]}


def infer(chance: random.Random) -> Sent:
    """A request of the Open Inference Protocol with lengths that do not fit."""
    size = chance.randrange(2**40)
    tensor = {
        "name": "x",
        "shape": [chance.randrange(2**40)],
        "datatype": "FP32",
        "parameters": {"binary_data_size": size},
    }
    body = json.dumps({"inputs": [tensor]}).encode()
    length = str(chance.choice((len(body), size, -1, "x")))
    return "/v2/models/half/infer", body + chance.randbytes(16), {"inference-header-content-length": length}


def noise(chance: random.Random) -> Sent:
    """Any bytes under any name."""
    headers = {"content-type": chance.choice(MEDIA_TYPES)}
    headers[chance.choice(HEADERS[1:])] = "".join(chance.choices("abc/;=*,q0.19 \t", k=chance.randrange(30))).strip()
    return "/v1/models/detector:predict", chance.randbytes(chance.randrange(200)), headers


def query(chance: random.Random) -> Sent:
    """Options that there are not."""
    name = chance.choice(("wire", "round", "top_k", "score_threshold", "frame_count", "x"))
    value = chance.choice(("-1", "x", "1e99", "", "nan", "%00", "encoded"))
    return f"/v1/models/half:predict?{name}={value}&{name}={value}", b"{}", {"content-type": "application/json"}


def route(chance: random.Random) -> Sent:
    """Paths that lead nowhere."""
    parts = chance.choices(
        ("v1", "v2", "models", "half", "versions", "-1", "99999999999999999999", "..", "%2e", "labels"), k=5
    )
    return (
        "/" + "/".join(parts) + chance.choice((":predict", "/infer", "")),
        b"{}",
        {"content-type": "application/json"},
    )


KINDS: tuple[Callable[[random.Random], Sent], ...] = (
    picture,
    huge_picture,
    deep_json,
    strange_json,
    bomb,
    form,
    infer,
    noise,
    query,
    route,
)


def send(proxy: RunningProxy, client: httpx.Client, number: int) -> None:
    """Send a request and check its answer; what its kind may happen to make right is answered right."""
    chance = random.Random(number)
    kind = KINDS[number % len(KINDS)]
    path, body, headers = kind(chance)
    response = client.post(f"{proxy.url}{path}", content=body, headers=headers)
    told = (number, kind.__name__, response.status_code, response.text[:300])
    if response.status_code == 200:
        assert kind in (picture, huge_picture, strange_json, deep_json), told
        return
    assert 400 <= response.status_code < 500, told
    answer = response.json()
    assert answer.keys() == {"error", "status", "code", "request_id"}, told
    assert answer["status"] == response.status_code, told


def test_all_are_refused_and_nothing_is_left_of_them(tmp_path: Path) -> None:
    write_cards(tmp_path)
    with serving(all_models()) as server:
        config = proxy_config(server.address, ["half", "detector"])
        with running(tmp_path, config) as proxy, httpx.Client(timeout=30) as client:
            for number in range(WARM_UP):
                send(proxy, client, number)
            before = resident_bytes(proxy)
            for number in range(WARM_UP, REQUESTS):
                send(proxy, client, number)
            grown = resident_bytes(proxy) - before
            assert proxy.post("half", json={"instances": [1.0]}).json() == {"predictions": [2.5]}
            assert not [line for line in proxy.read_log() if "traceback" in line]
    assert grown < 5 * MEBIBYTE
