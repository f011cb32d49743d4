"""Read a TensorFlow.js graph model: the JSON topology and the weight shards that it names."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.models.errors import ConversionError

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class GraphModel:
    """A TensorFlow.js graph model in memory."""

    nodes: list[dict[str, Any]]
    """The nodes of the graph in the JSON form of TensorFlow's NodeDef."""
    weights: Mapping[str, Array]
    """The values of the graph's constants by node name."""
    inputs: Mapping[str, str]
    """Signature input name to tensor name."""
    outputs: Mapping[str, str]
    """Signature output name to tensor name."""


def read(path: Path) -> GraphModel:
    """Read a model from its JSON file; the shards lie beside it.

    Raises:
        ConversionError: The file is no graph model, or a shard does not fit its description.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        signature = content.get("signature") or content["userDefinedMetadata"]["signature"]
        return GraphModel(
            nodes=content["modelTopology"]["node"],
            weights=_weights(content["weightsManifest"], path.parent),
            inputs=_tensors(signature["inputs"]),
            outputs=_tensors(signature["outputs"]),
        )
    except (KeyError, TypeError, json.JSONDecodeError) as problem:
        raise _not_a_model(path, repr(problem)) from problem


def _tensors(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {_plain(key): entry.get("name", key) for key, entry in entries.items()}


def _plain(tensor: str) -> str:
    """Drop the scopes before a tensor's name and the output number after it."""
    return tensor.split(":")[0].split("/")[-1]


def _weights(manifest: list[dict[str, Any]], folder: Path) -> dict[str, Array]:
    weights: dict[str, Array] = {}
    for group in manifest:
        shards = b"".join((folder / name).read_bytes() for name in group["paths"])
        weights |= _group(group["weights"], shards)
    return weights


def _group(entries: list[dict[str, Any]], shards: bytes) -> dict[str, Array]:
    weights: dict[str, Array] = {}
    offset = 0
    for entry in entries:
        stored = _stored_type(entry)
        count = math.prod(entry["shape"])
        if offset + count * stored.itemsize > len(shards):
            raise _wrong_size(entry["name"], len(shards))
        weights[entry["name"]] = _restored(entry, np.frombuffer(shards, stored, count, offset))
        offset += count * stored.itemsize
    if offset != len(shards):
        raise _wrong_size("the last weight", len(shards))
    return weights


def _stored_type(entry: Mapping[str, Any]) -> np.dtype[Any]:
    """Return the type on disk, which for quantised weights is smaller than the tensor's own."""
    return np.dtype(entry.get("quantization", entry)["dtype"])


def _restored(entry: Mapping[str, Any], values: Array) -> Array:
    """Undo the quantisation: float16 needs a cast, integers also a scale and an offset."""
    quantisation = entry.get("quantization", {})
    if "scale" in quantisation:
        values = values * quantisation["scale"] + quantisation["min"]
    return values.astype(entry["dtype"]).reshape(entry["shape"])


def _wrong_size(name: str, size: int) -> ConversionError:
    return ConversionError(
        f"weights of the graph model, at {name}",
        f"the shards hold {size} bytes, which is not what their description adds up to",
        "weights read at a wrong place would give a model that answers nonsense",
        "remove the downloaded source from the cache and run the set-up again",
    )


def _not_a_model(path: Path, found: str) -> ConversionError:
    return ConversionError(
        str(path),
        f"this is not a TensorFlow.js graph model ({found})",
        "the detector is made from it",
        "remove the downloaded source from the cache and run the set-up again",
    )
