"""The original: a loaded version of a model, whose default signature everything that is added goes through."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from proxy.pictures.picture_input import PictureInput
from proxy.signature_names import is_added
from publisher.errors import FolderError, MismatchError

DEFAULT_SIGNATURE = "serving_default"


class Original:
    """Holds a SavedModel and calls its default signature on the model's input."""

    def __init__(self, folder: Path, spec: PictureInput) -> None:
        """Load a version and compare it with its card.

        Raises:
            FolderError: It cannot be loaded.
            MismatchError: The card describes another input than the model has.
        """
        loaded = _loaded(folder)
        self.holder = loaded.original if any(map(is_added, loaded.signatures)) else loaded
        """What holds the variables. In a model of this publisher they lie one level down; what was added is left."""
        self.signatures = {name: call for name, call in sorted(loaded.signatures.items()) if not is_added(name)}
        """What the model had before anything was added."""
        self._spec = spec
        self.input = self._checked_input(folder)
        """tf.TensorSpec of the model's input."""
        self._shapes = {name: tensor.shape for name, tensor in self._answer_to_zeros().items()}

    @property
    def batch(self) -> int | None:
        """Return the number of pictures that the model takes; None is any."""
        return self.input.shape[0]

    def __call__(self, array: Any) -> dict[str, Any]:
        """Return the model's outputs by name, with all sizes known but the batch's."""
        outputs = self.signatures[DEFAULT_SIGNATURE](**{self._spec.tensor: array})
        return {name: tf.ensure_shape(tensor, self.form(name)) for name, tensor in sorted(outputs.items())}

    def form(self, name: str) -> list[int | None]:
        """Return the shape of an output for any batch that the model takes."""
        known = self._shapes[name]
        return [self.batch, *known[1:]] if len(known) and known[0] == self._some else list(known)

    def output_specs(self) -> dict[str, Any]:
        """Return the tf.TensorSpec of each output."""
        outputs = self.signatures[DEFAULT_SIGNATURE].structured_outputs
        return {name: tf.TensorSpec(self.form(name), outputs[name].dtype, name=name) for name in sorted(outputs)}

    @property
    def _some(self) -> int:
        """Return a number of pictures that the model takes."""
        return 1 if self.batch is None else self.batch

    def _answer_to_zeros(self) -> Mapping[str, Any]:
        zeros = tf.zeros([self._some, *self._spec.shape[1:]], self.input.dtype)
        return self.signatures[DEFAULT_SIGNATURE](**{self._spec.tensor: zeros})

    def _checked_input(self, folder: Path) -> Any:
        if DEFAULT_SIGNATURE not in self.signatures:
            raise _mismatch(folder, "the signature serving_default", f"{', '.join(sorted(self.signatures)) or 'none'}")
        inputs = self.signatures[DEFAULT_SIGNATURE].structured_input_signature[1]
        if set(inputs) != {self._spec.tensor}:
            raise _mismatch(folder, f"one input, {self._spec.tensor!r}", f"the inputs {', '.join(sorted(inputs))}")
        found = inputs[self._spec.tensor]
        wanted = [None, *self._spec.shape[1:]]
        if not found.shape.is_compatible_with(wanted):
            raise _mismatch(folder, f"an input of shape {['N', *wanted[1:]]}", f"the shape {found.shape}")
        self._check_type(folder, found.dtype)
        return tf.TensorSpec(found.shape if found.shape.rank else wanted, found.dtype, name=self._spec.tensor)

    def _check_type(self, folder: Path, dtype: Any) -> None:
        plain = not np.any(self._spec.mean) and set(self._spec.standard_deviation) == {1.0}
        if dtype not in (tf.float32, tf.float16) and not (dtype == tf.uint8 and plain):
            raise _mismatch(
                folder, "an input of float32, float16, or uint8 without mean and deviation", f"{dtype.name}"
            )


def _loaded(folder: Path) -> Any:
    try:
        return tf.saved_model.load(str(folder), tags=["serve"])
    except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
        raise FolderError(
            where=str(folder),
            found=f"TensorFlow cannot load it: {' '.join(str(error).split())[:300]}",
            reason="Signatures are added to a SavedModel that works",
            remedy="Export the model again, with the tag 'serve'",
        ) from error


def _mismatch(folder: Path, card: str, model: str) -> MismatchError:
    return MismatchError(
        where=str(folder),
        found=f"the card wants {card}, and the model has {model}",
        reason="A picture cannot be prepared for an input that the model does not have",
        remedy="Mend the section input of the card (model.yaml), or put the version there that it describes",
    )
