"""The demo page over canned answers, on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from proxy.pages.demo import page_route, read_pages
from proxy.telemetry.stages import server_timing

MODELS = [
    {"name": "detector", "task": "object-detection", "inputs": ["picture", "tensors"]},
    {"name": "classifier", "task": "image-classification", "inputs": ["picture", "tensors"]},
    {"name": "sentences", "task": "tensor", "inputs": ["text", "tensors"]},
    {"name": "plain", "task": "tensor", "inputs": ["tensors"]},
]
DETECTIONS = {
    "model": "detector",
    "version": "3",
    "detections": [
        {"label": "car", "class": 2, "score": 0.912, "box": [244.0, 252.0, 694.0, 490.0]},
        {"label": "traffic light", "class": 9, "score": 0.64, "box": [746.0, 58.0, 850.0, 164.0]},
        {"label": "truck", "class": 7, "score": 0.37, "box": [320.0, 250.0, 640.0, 350.0]},
    ],
    "image": {"width": 960, "height": 600},
}
_CLASSES = [("tabby cat", 281, 0.62), ("tiger cat", 282, 0.21), ("Egyptian cat", 285, 0.09), ("lynx", 287, 0.02)]
ANSWERS = {
    "detector": DETECTIONS,
    "classifier": {
        "model": "classifier",
        "version": "1",
        "classifications": [{"label": label, "class": number, "score": score} for label, number, score in _CLASSES],
    },
    "sentences": {"model": "sentences", "version": "1", "outputs": {"embedding": [[0.1, -0.2, 0.3] * 40]}},
    "plain": {"predictions": [2.5, 3.0]},
}
_STAGES = {
    "decode": 1.21,
    "preprocess": 0.52,
    "encode": 0.16,
    "model": 12.4,
    "decode-answer": 0.07,
    "postprocess": 1.34,
}
TIMING = server_timing((stage, milliseconds / 1000) for stage, milliseconds in _STAGES.items())
KEY = "open-sesame"


async def _models(request: Request) -> JSONResponse:
    return JSONResponse({"models": MODELS})


async def _predict(request: Request) -> JSONResponse:
    body = await request.body()
    if b"refuse me" in body:
        error = "request body: no JSON. The body must be one JSON object. Send it so."
        return JSONResponse({"error": error, "status": 400, "code": "invalid-json", "request_id": "id-7"}, 400)
    if request.path_params["model"] == "plain" and request.headers.get("x-api-key") != KEY:
        error = "request: no key. This endpoint answers only those it knows. Send a key."
        return JSONResponse({"error": error, "status": 401, "code": "unauthenticated", "request_id": "id-8"}, 401)
    return JSONResponse(ANSWERS[request.path_params["model"]], headers={"server-timing": TIMING})


async def _metadata(request: Request) -> JSONResponse:
    info = {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}, {"size": "2"}], "unknown_rank": False}}
    signature = {"inputs": {"x": info}}
    return JSONResponse({"metadata": {"signature_def": {"signature_def": {"serving_default": signature}}}})


async def _stream(socket: WebSocket) -> None:
    offered = socket.scope["subprotocols"]
    assert not offered or f"kubevc.bearer.{KEY}" in offered
    await socket.accept(subprotocol="kubevc.v1" if offered else None)
    number = 0
    async for frame in socket.iter_bytes():
        assert frame.startswith(b"\xff\xd8")
        await socket.send_json({"frame": number, **DETECTIONS, "milliseconds": {"decode": 1.0, "model": 9.0}})
        number += 1


@contextmanager
def demo_app() -> Iterator[str]:
    """Serve the page with its canned answers; yields the address."""
    routes = [
        *(Route(path, page_route(page)) for path, page in read_pages().items()),
        Route("/v1/models", _models),
        Route("/v1/models/{model}:predict", _predict, methods=["POST"]),
        Route("/v1/models/{model}/metadata", _metadata),
        WebSocketRoute("/v1/models/{model}/stream", _stream),
    ]
    config = uvicorn.Config(Starlette(routes=routes), port=0, log_config=None, ws="websockets-sansio", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 10
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        host, port = server.servers[0].sockets[0].getsockname()
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
