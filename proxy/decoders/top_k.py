"""Decode a classifier: the k likeliest classes of a row of probabilities."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from proxy.decoders.outputs import Outputs, named_output, refuse_non_numbers, unexpected_outputs
from proxy.decoders.results import Classifications
from proxy.document import Document
from proxy.pictures.picture_input import PictureInput


class TopK(Document):
    """Read the likeliest classes out of probabilities."""

    task: ClassVar = "image-classification"

    decoder: Literal["top-k"]
    tensor: str
    k: int = Field(default=5, gt=0)

    def decode(self, outputs: Outputs, spec: PictureInput, class_count: int) -> Classifications:
        """Read the likeliest classes of a picture; see `likeliest`."""
        del spec
        return self.likeliest(outputs, class_count)

    def likeliest(self, outputs: Outputs, class_count: int) -> Classifications:
        """Read at most `k` classes; of equal scores the lower class comes first.

        Args:
            outputs: `tensor` as [1, class_count].
            class_count: The number of labels.

        Raises:
            AnswerInvalid: The output is missing, has another shape or holds NaN.
        """
        scores = named_output(outputs, self.tensor)
        if scores.shape != (1, class_count):
            raise unexpected_outputs(outputs, f"{self.tensor!r} of shape [1, {class_count}], one value per label")
        refuse_non_numbers(scores, self.tensor)
        classes = np.argsort(-scores[0], kind="stable")[: self.k]
        return Classifications(scores=scores[0, classes], classes=classes)
