"""Schemas: the parts that many operations of the OpenAPI document share."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

ANY: Json = {}
BYTES: Json = {"type": "string", "contentMediaType": "application/octet-stream"}


def reference(kind: str, name: str) -> Json:
    """Point at a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def schema(name: str) -> Json:
    """Point at a schema."""
    return reference("schemas", name)


def record(properties: Json, optional: tuple[str, ...] = (), **more: Any) -> Json:
    """Return an object whose keys are all required but the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, **more}


def listing(item: Json) -> Json:
    """Return a list of items."""
    return {"type": "array", "items": item}


_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_SCORE: Json = {"type": "number", "minimum": 0, "maximum": 1}
_LABEL: Json = {"type": ["string", "null"], "description": "null where the labels file has no line for the class"}
_MODEL: Json = {"model": _TEXT, "version": _TEXT}
_FOUND: Json = {"label": _LABEL, "class": _COUNT, "score": _SCORE}
_CORNERS: Json = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
_BOX: Json = {**_CORNERS, "description": "x1, y1, x2, y2 in pixels of the picture as a viewer shows it"}

_OIP_TENSOR: Json = record(
    {
        "name": _TEXT,
        "datatype": {"type": "string", "examples": ["FP32", "INT64", "BYTES"]},
        "shape": listing(_COUNT),
        "parameters": {"type": "object"},
        "data": listing(ANY),
    },
    ("parameters", "data"),
)

SCHEMAS: Json = {
    "Error": record(
        {
            "error": {"type": "string", "description": "where, what was found, why it matters and what to do"},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "a short fixed name of the kind of error, for programs"},
            "request_id": _TEXT,
        }
    ),
    "Detections": record(
        {
            **_MODEL,
            "detections": listing(record({**_FOUND, "box": _BOX})),
            "image": record({"width": _COUNT, "height": _COUNT}),
        },
        description="Objects, strongest first, after non-maximum suppression.",
    ),
    "Classifications": record(
        {**_MODEL, "classifications": listing(record(_FOUND))}, description="Classes, likeliest first."
    ),
    "Outputs": record({**_MODEL, "outputs": {"type": "object", "description": "each output tensor by its name"}}),
    "TensorRequest": {
        "type": "object",
        "description": "Either `instances`, one entry per example, or `inputs`, whole tensors. Bytes stand as "
        '`{"b64": "..."}`.',
        "properties": {
            "instances": listing(ANY),
            "inputs": ANY,
            "signature_name": {"type": "string", "default": "serving_default"},
        },
        "oneOf": [{"required": ["instances"]}, {"required": ["inputs"]}],
        "additionalProperties": False,
    },
    "TensorAnswer": {
        "type": "object",
        "description": "`predictions` by rows for `instances`, `outputs` by columns for `inputs`; a single output "
        "stands without its name. NaN and infinity are null.",
        "properties": {"predictions": listing(ANY), "outputs": ANY},
    },
    "ExampleRequest": record(
        {
            "examples": listing({"type": "object", "description": "features by name"}),
            "context": {"type": "object"},
            "signature_name": _TEXT,
        },
        ("context", "signature_name"),
    ),
    "ClassifyAnswer": record({"results": listing(listing({"type": "array", "description": "label and score"}))}),
    "RegressAnswer": record({"results": listing({"type": "number"})}),
    "Models": record(
        {"models": listing(record({"name": _TEXT, "task": _TEXT, "inputs": listing(_TEXT)}, additionalProperties=True))}
    ),
    "ModelStatus": record(
        {
            "model_version_status": listing(
                record({"version": _TEXT, "state": _TEXT, "status": {"type": "object"}}, ("status",))
            )
        }
    ),
    "ModelMetadata": record({"model_spec": {"type": "object"}, "metadata": {"type": "object"}}),
    "Health": record({"status": _TEXT}),
    "OipServer": record({"name": _TEXT, "version": _TEXT, "extensions": listing(_TEXT)}),
    "OipModel": record(
        {
            "name": _TEXT,
            "versions": listing(_TEXT),
            "platform": _TEXT,
            "inputs": listing(_OIP_TENSOR),
            "outputs": listing(_OIP_TENSOR),
        },
        ("versions",),
    ),
    "OipRequest": record(
        {
            "id": _TEXT,
            "parameters": {"type": "object"},
            "inputs": listing(_OIP_TENSOR),
            "outputs": listing(record({"name": _TEXT, "parameters": {"type": "object"}}, ("parameters",))),
        },
        ("id", "parameters", "outputs"),
    ),
    "OipAnswer": record(
        {"id": _TEXT, "model_name": _TEXT, "model_version": _TEXT, "outputs": listing(_OIP_TENSOR)},
        ("id", "model_version"),
    ),
}

RESPONSES: Json = {
    "Error": {
        "description": "The request was not answered; the body says why.",
        "content": {"application/json": {"schema": schema("Error")}},
    }
}

PARAMETERS: Json = {
    "Timeout": {
        "name": "X-Request-Timeout",
        "in": "header",
        "description": "Seconds that this request may take, at most as many as the endpoint allows.",
        "schema": {"type": "number", "exclusiveMinimum": 0},
    },
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "Appears in the answer, in the log and in the call to the model server.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
    },
    "TraceParent": {
        "name": "traceparent",
        "in": "header",
        "description": "W3C trace context; passed on to the model server.",
        "schema": _TEXT,
    },
    "Version": {"name": "version", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}},
    "Label": {"name": "label", "in": "path", "required": True, "schema": _TEXT},
}

SECURITY: Json = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
