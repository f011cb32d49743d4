"""BERT base for two classes (Devlin et al. 2019): 12 layers of 768 and 12 heads, 30522 tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

_LAYERS, _HIDDEN, _HEADS, _INNER = 12, 768, 12, 3072
_VOCABULARY, _POSITIONS, _TYPES = 30522, 512, 2
_EPSILON = 1e-12


class Bert(tf.Module):
    """Tokens in, the probabilities of two classes out."""

    def __init__(self, classes: int) -> None:
        """Draw the weights like BERT's own start: normal, of deviation 0.02."""
        super().__init__(name="bert")
        self._random = np.random.default_rng(7)
        tables = {"words": _VOCABULARY, "positions": _POSITIONS, "types": _TYPES}
        self.tables = {name: self._weights(name, rows, _HIDDEN) for name, rows in tables.items()}
        self.start = self._norm("start")
        self.layers = [self._layer(f"layer_{number}") for number in range(_LAYERS)]
        self.pooler = self._dense("pooler", _HIDDEN, _HIDDEN)
        self.classifier = self._dense("classifier", _HIDDEN, classes)

    def __call__(self, input_ids: Any, input_mask: Any, token_type_ids: Any) -> Any:
        """Return float32 [N, classes] for int32 [N, tokens] each."""
        x = tf.gather(self.tables["words"], input_ids) + tf.gather(self.tables["types"], token_type_ids)
        x = _normed(x + self.tables["positions"][: tf.shape(input_ids)[1]], self.start)
        bias = (1.0 - tf.cast(input_mask, tf.float32))[:, None, None, :] * -1e9
        for layer in self.layers:
            x = _normed(x + _attended(x, layer, bias), layer["attention_norm"])
            inner = tf.nn.gelu(_applied(x, layer["inner"]))
            x = _normed(x + _applied(inner, layer["outer"]), layer["norm"])
        return tf.nn.softmax(_applied(tf.tanh(_applied(x[:, 0], self.pooler)), self.classifier))

    def _layer(self, name: str) -> dict[str, Any]:
        dense = {part: self._dense(f"{name}_{part}", _HIDDEN, _HIDDEN) for part in ("query", "key", "value", "mixed")}
        return dense | {
            "attention_norm": self._norm(f"{name}_attention"),
            "inner": self._dense(f"{name}_inner", _HIDDEN, _INNER),
            "outer": self._dense(f"{name}_outer", _INNER, _HIDDEN),
            "norm": self._norm(name),
        }

    def _weights(self, name: str, rows: int, columns: int) -> Any:
        values = self._random.standard_normal((rows, columns), np.float32) * np.float32(0.02)
        return tf.Variable(values, trainable=False, name=name)

    def _dense(self, name: str, rows: int, columns: int) -> dict[str, Any]:
        bias = tf.Variable(tf.zeros([columns]), trainable=False, name=f"{name}_bias")
        return {"weights": self._weights(name, rows, columns), "bias": bias}

    def _norm(self, name: str) -> dict[str, Any]:
        scale, shift = (tf.Variable(fill([_HIDDEN]), trainable=False, name=name) for fill in (tf.ones, tf.zeros))
        return {"scale": scale, "shift": shift}


def _applied(x: Any, dense: dict[str, Any]) -> Any:
    return tf.tensordot(x, dense["weights"], 1) + dense["bias"]


def _normed(x: Any, norm: dict[str, Any]) -> Any:
    mean, variance = tf.nn.moments(x, -1, keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + _EPSILON) * norm["scale"] + norm["shift"]


def _attended(x: Any, layer: dict[str, Any], bias: Any) -> Any:
    tokens, part = tf.shape(x)[1], _HIDDEN // _HEADS

    def heads(name: str) -> Any:
        return tf.transpose(tf.reshape(_applied(x, layer[name]), [-1, tokens, _HEADS, part]), [0, 2, 1, 3])

    strength = tf.matmul(heads("query"), heads("key"), transpose_b=True) / np.float32(np.sqrt(part))
    mixed = tf.matmul(tf.nn.softmax(strength + bias), heads("value"))
    return _applied(tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [-1, tokens, _HIDDEN]), layer["mixed"])
