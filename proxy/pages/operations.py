"""Operations: what the OpenAPI document says of each route, for one model or for the endpoint as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from proxy.card import ModelCard
from proxy.pages.schemas import ANY, BYTES, Json, reference, schema
from proxy.tasks.options import Options

_JSON = "application/json"
_COMMON = [reference("parameters", name) for name in ("Timeout", "RequestId", "TraceParent")]
_TASK_SCHEMAS = {
    "object-detection": "Detections",
    "image-classification": "Classifications",
    "text-classification": "Classifications",
    "tensor": "Outputs",
}

_OPTION_TEXTS = {
    "signature_name": "Of tensors as .npy: the signature that they are for; serving_default without it.",
    "output_filter": "The outputs wanted of plain tensors, separated by commas; all of them when empty.",
    "round": "Decimals of the numbers in a JSON answer.",
    "wire": "How a picture goes to the model server.",
    "answer": "Labels and boxes as the model's card says, or the model's plain tensors.",
    "score_threshold": "Of detections: the weakest that is kept.",
    "iou_threshold": "Of detections: how much two of one class may overlap.",
    "max_detections": "Of detections: the most that are kept.",
    "top_k": "Of classifications: how many.",
    "frames_per_second": "Of a video: how many of its frames are looked at in each second.",
    "frame_count": "Of a video: how many of its frames are looked at in all, evenly spread.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Hold the model that an operation is for."""

    name: str
    card: ModelCard
    inputs: tuple[str, ...] = field(default=("tensors",))
    """Of `picture`, `text` and `tensors`, those that the model takes."""


Describe = Callable[[Subject], Json]


def operation(path: str, method: str, subject: Subject | None) -> Json | None:
    """Return what is known of a route, or None where nothing is.

    Args:
        path: The route's, with `{model}` for a model and without a version.
        method: GET, POST or WEBSOCKET.
        subject: The model, for a path that has one.
    """
    if subject is None:
        return _WHOLE.get((method, path))
    describe = _MODELS.get((method, path))
    return None if describe is None else describe(subject)


def _predict(subject: Subject) -> Json:
    return {
        "summary": f"Ask {subject.name}",
        "description": _input_text(subject),
        "parameters": [*_COMMON, *_options()],
        "requestBody": {"required": True, "content": _bodies(subject)},
        "responses": {"200": {"description": "What the model says", "content": _answers(subject)}, **_errors()},
    }


def _input_text(subject: Subject) -> str:
    picture = subject.card.document.input
    texts: list[str] = []
    if picture is not None:
        size = f"{picture.width_pixels} x {picture.height_pixels}"
        texts.append(f"Takes pictures of any size; the endpoint fits them to {size} pixels ({picture.resize}).")
    if subject.card.document.text is not None:
        most = subject.card.document.text.max_tokens
        texts.append(f"Takes texts; the endpoint turns them into tokens, {most} at most.")
    if subject.card.labels:
        shown = ", ".join(subject.card.labels[:3])
        texts.append(f"Knows {len(subject.card.labels)} classes, such as {shown}.")
    return " ".join(texts) or "Takes tensors of the shapes and types that its metadata tells."


def _bodies(subject: Subject) -> Json:
    bodies = {_JSON: {"schema": schema("TensorRequest")}, "application/x-npy": {"schema": BYTES}}
    if "picture" in subject.inputs:
        files = ("image/jpeg", "image/png", "image/webp", "video/*")
        form = {"type": "object", "additionalProperties": BYTES, "minProperties": 1}
        bodies |= {name: {"schema": BYTES} for name in files} | {"multipart/form-data": {"schema": form}}
    if "text" in subject.inputs:
        bodies |= {"text/plain": {"schema": {"type": "string"}}}
    return bodies


def _answers(subject: Subject) -> Json:
    named = schema(_TASK_SCHEMAS[subject.card.document.task])
    only_tensors = subject.inputs == ("tensors",)
    json_answer = schema("TensorAnswer") if only_tensors else {"anyOf": [named, schema("TensorAnswer")]}
    answers = {_JSON: {"schema": json_answer}}
    answers |= {name: {"schema": BYTES} for name in ("application/x-npy", "application/x-protobuf")}
    if subject.card.document.output is not None and "picture" in subject.inputs:
        answers |= {name: {"schema": BYTES} for name in ("image/png", "image/jpeg")}
    if "picture" in subject.inputs:
        pieces = {"type": "string", "description": "One JSON document per picture or frame, as it comes."}
        answers |= {name: {"schema": pieces} for name in ("text/event-stream", "application/x-ndjson")}
    return answers


def option_parameters() -> Json:
    """Return the query of a predict request, as components that all models share."""
    properties: Mapping[str, Any] = Options.model_json_schema()["properties"]
    return {
        name: {
            "name": name,
            "in": "query",
            "required": False,
            **({"description": _OPTION_TEXTS[name]} if name in _OPTION_TEXTS else {}),
            "schema": _option_schema(found),
        }
        for name, found in properties.items()
    }


def _options() -> list[Json]:
    return [reference("parameters", name) for name in Options.model_fields]


def _option_schema(found: Json) -> Json:
    """Return an option's schema as a query writes it: never null, and a list as one text."""
    kinds = [kind for kind in found.get("anyOf", [found]) if kind.get("type") != "null"]
    kind: Json = kinds[0]
    if kind.get("type") == "array":
        return {"type": "string"}
    return {key: value for key, value in kind.items() if key not in ("title", "default")}


def _examples(verb: str, answer: str) -> Describe:
    def describe(subject: Subject) -> Json:
        return {
            "summary": f"{verb} with {subject.name}",
            "parameters": _COMMON,
            "requestBody": {"required": True, "content": {_JSON: {"schema": schema("ExampleRequest")}}},
            "responses": {**_ok(schema(answer), "The results, one per example"), **_errors()},
        }

    return describe


def _asked(summary: str, answer: str) -> Describe:
    def describe(subject: Subject) -> Json:
        return {
            "summary": f"{summary} of {subject.name}",
            "parameters": _COMMON,
            "responses": {**_ok(schema(answer), summary), **_errors()},
        }

    return describe


def _stream(subject: Subject) -> Json:
    return {
        "summary": f"Live frames for {subject.name}",
        "description": "A WebSocket. Send each frame as a binary message with the file of a picture; the answer to it "
        "is a text message with `frame`, its number, and the keys of a predict answer. The newest frame is answered; "
        "one that a newer overtakes is left out. A browser sends its key as the subprotocol `kubevc.bearer.KEY` beside "
        "`kubevc.v1`.",
        "parameters": _options(),
        "responses": {"101": {"description": "The connection becomes a WebSocket"}, **_errors()},
    }


def _infer(subject: Subject) -> Json:
    bodies = {_JSON: {"schema": schema("OipRequest")}, "application/octet-stream": {"schema": BYTES}}
    answers = {_JSON: {"schema": schema("OipAnswer")}, "application/octet-stream": {"schema": BYTES}}
    return {
        "summary": f"Ask {subject.name} by the Open Inference Protocol",
        "description": "With the binary extension, the header Inference-Header-Content-Length says how long the JSON "
        "part is.",
        "parameters": _COMMON,
        "requestBody": {"required": True, "content": bodies},
        "responses": {"200": {"description": "The outputs", "content": answers}, **_errors()},
    }


def _ok(content: Json, text: str, media_type: str = _JSON) -> Json:
    return {"200": {"description": text, "content": {media_type: {"schema": content}}}}


def _errors() -> Json:
    return {status: reference("responses", "Error") for status in ("4XX", "5XX")}


def _plain(summary: str, content: Json, media_type: str = _JSON, more: Json | None = None) -> Json:
    return {"summary": summary, "responses": {**_ok(content, summary, media_type), **(more or {})}}


_NOT_READY: Json = {"503": {"description": "Draining", "content": {_JSON: {"schema": schema("Health")}}}}

_WHOLE: dict[tuple[str, str], Json] = {
    ("GET", "/v1/models"): _plain("The models", schema("Models"), more=_errors()),
    ("GET", "/v2"): _plain("The server, by the Open Inference Protocol", schema("OipServer")),
    ("GET", "/v2/health/live"): _plain("Whether the process lives", ANY),
    ("GET", "/v2/health/ready"): _plain("Whether the endpoint takes requests", ANY, more=_NOT_READY),
    ("GET", "/healthz"): _plain("Whether the process lives", schema("Health")),
    ("GET", "/readyz"): _plain("Whether the endpoint takes requests", schema("Health"), more=_NOT_READY),
    ("GET", "/metrics"): _plain("Prometheus metrics", {"type": "string"}, "text/plain"),
    ("GET", "/openapi.json"): _plain("This document", {"type": "object"}),
    ("GET", "/"): _plain("The demo page", {"type": "string"}, "text/html"),
    ("GET", "/demo.css"): _plain("The demo page's style", {"type": "string"}, "text/css"),
    ("GET", "/demo.js"): _plain("The demo page's program", {"type": "string"}, "text/javascript"),
}
_MODELS: dict[tuple[str, str], Describe] = {
    ("POST", "/v1/models/{model}:predict"): _predict,
    ("POST", "/v1/models/{model}:classify"): _examples("Classify", "ClassifyAnswer"),
    ("POST", "/v1/models/{model}:regress"): _examples("Regress", "RegressAnswer"),
    ("GET", "/v1/models/{model}"): _asked("The state of the versions", "ModelStatus"),
    ("GET", "/v1/models/{model}/metadata"): _asked("The signatures", "ModelMetadata"),
    ("WEBSOCKET", "/v1/models/{model}/stream"): _stream,
    ("GET", "/v2/models/{model}"): _asked("The inputs and outputs", "OipModel"),
    ("GET", "/v2/models/{model}/ready"): _asked("Whether the model server answers for a version", "Health"),
    ("POST", "/v2/models/{model}/infer"): _infer,
}
