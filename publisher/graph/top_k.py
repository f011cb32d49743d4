"""The likeliest classes in the graph; the same reading as `proxy/decoders/top_k.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from proxy.decoders.top_k import TopK
from publisher.graph.outputs import named_output


def top_k(outputs: Mapping[str, Any], output: TopK, class_count: int, k: Any) -> tuple[Any, Any]:
    """Return the likeliest classes, likeliest first; of equal scores the lower class comes first.

    A score that is not a number ranks first, so that whoever reads the answer sees it.

    Args:
        outputs: `output.tensor` as [N, class_count].
        output: Section `output` of the card.
        class_count: The number of labels.
        k: int32 [], how many.

    Returns:
        Scores, float32 [N, k], and classes, int32 [N, k]; fewer columns where the model has fewer classes.

    Raises:
        MismatchError: The output is missing or has another form.
    """
    scores = named_output(outputs, output.tensor, (class_count,))
    ranked = tf.where(tf.math.is_nan(scores), float("inf"), scores)
    wanted = tf.clip_by_value(k, 0, class_count)
    # OpenVINO takes no top-0.
    _, classes = tf.math.top_k(ranked, tf.maximum(wanted, 1))
    return tf.gather(scores, classes, batch_dims=1)[:, :wanted], classes[:, :wanted]
