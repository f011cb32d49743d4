"""CenterNet's rows in the graph; the same reading as `proxy/decoders/centernet.py`, which explains it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from proxy.decoders.centernet import Centernet
from proxy.pictures.picture_input import PictureInput
from publisher.graph.candidates import Boxes, Candidates
from publisher.graph.outputs import named_output


def candidates(outputs: Mapping[str, Any], output: Centernet, spec: PictureInput, class_count: int) -> Candidates:
    """Read rows of x1, y1, x2, y2, score, class.

    Args:
        outputs: `output.tensor` as [N, n, 6].
        output: Section `output` of the card.
        spec: Unused: the rows are in pixels of the input already.
        class_count: Unused: the rows name their class.

    Raises:
        MismatchError: The output is missing or has another form.
    """
    del spec, class_count
    rows = named_output(outputs, output.tensor, (None, 6))

    def read(index: Any) -> Boxes:
        chosen = tf.gather(rows, index, batch_dims=1)
        return Boxes(corners=chosen[..., :4], classes=tf.cast(chosen[..., 5], tf.int32))

    return Candidates(scores=rows[..., 4], read=read)
