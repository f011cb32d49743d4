"""The wrapper: a module around the original with every signature that a card allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from proxy.card import ModelCard
from proxy.pictures.picture_input import PictureInput
from proxy.signature_names import ENCODED, PIXELS, SignatureNames, signature_names
from publisher.graph.answers import answer_of, settings_of
from publisher.graph.jpeg import fitted_pixels
from publisher.graph.pixels import Normalisation
from publisher.original import Original

Body = Callable[..., dict[str, Any]]


class Wrapper(tf.Module):
    """Adds signatures; the original's own come through untouched."""

    def __init__(self, original: Original, card: ModelCard) -> None:
        """Prepare for a card with a picture."""
        super().__init__(name="wrapper")
        assert card.document.input is not None
        self._spec: PictureInput = card.document.input
        self._card = card.document
        # The attribute keeps the original's variables and tables in the saved file, once; `Original` knows its name.
        self.original = original.holder
        self.normalise = Normalisation(self._spec, original.input.dtype)
        self._call = original
        self._answer = answer_of(card.document, len(card.labels))

    @property
    def names(self) -> SignatureNames:
        """Return the names of what is added."""
        names = signature_names(self._card)
        assert names is not None
        return names

    @property
    def answers(self) -> bool:
        """Say whether the graph reads boxes or classes out of the outputs."""
        return self._answer is not None

    def signatures(self) -> dict[str, Any]:
        """Return all signatures: the original's and the added ones."""
        return dict(self._call.signatures) | self._added()

    def _added(self) -> dict[str, Any]:
        names, pixels, encoded = self.names, self._pixels(), tf.TensorSpec([self._call.batch], tf.string, name=ENCODED)
        added = {
            names.pixels: _function(self._from_pixels, [pixels]),
            names.encoded: _function(self._from_encoded, [encoded]),
        }
        if self.answers:
            settings = settings_of(self._card)
            added[str(names.pixels_answer)] = _function(self._answer_from_pixels, [pixels, *settings])
            added[str(names.encoded_answer)] = _function(self._answer_from_encoded, [encoded, *settings])
        return added

    def input_step(self) -> Any:
        """Return the part of the added signatures before the original, as a function."""
        return _function(lambda pixels: {self._spec.tensor: self.normalise(pixels)}, [self._pixels()])

    def answer_step(self) -> tuple[Any, dict[str, str]]:
        """Return the part behind the original, as a function, and which output goes into which of its inputs."""
        specs = self._call.output_specs()
        inputs = {f"output_{number}": name for number, name in enumerate(specs)}
        used = {name: inputs[name] for name in _used(self._answer_function(specs, inputs), inputs)}
        return self._answer_function(specs, used), used

    def _answer_function(self, specs: dict[str, Any], inputs: dict[str, str]) -> Any:
        def answer(**tensors: Any) -> dict[str, Any]:
            assert self._answer is not None
            outputs = {name: tensors.pop(given) for given, name in inputs.items()}
            return self._answer(outputs, tensors)

        taken = [tf.TensorSpec(specs[name].shape, specs[name].dtype, name=given) for given, name in inputs.items()]
        return _function(answer, [*taken, *settings_of(self._card)])

    def _pixels(self) -> Any:
        size = [self._call.batch, self._spec.height_pixels, self._spec.width_pixels, 3]
        return tf.TensorSpec(size, tf.uint8, name=PIXELS)

    def _from_pixels(self, pixels: Any) -> dict[str, Any]:
        return self._call(self.normalise(pixels))

    def _from_encoded(self, encoded: Any) -> dict[str, Any]:
        return self._from_pixels(fitted_pixels(encoded, self._spec))

    def _answer_from_pixels(self, pixels: Any, **settings: Any) -> dict[str, Any]:
        assert self._answer is not None
        return self._answer(self._from_pixels(pixels), settings)

    def _answer_from_encoded(self, encoded: Any, **settings: Any) -> dict[str, Any]:
        return self._answer_from_pixels(fitted_pixels(encoded, self._spec), **settings)


def _function(body: Body, specs: list[Any]) -> Any:
    """Trace a body, whose parameters are the specs' names."""

    def call(*tensors: Any) -> dict[str, Any]:
        return body(**{spec.name: tensor for spec, tensor in zip(specs, tensors, strict=True)})

    return tf.function(call, autograph=False).get_concrete_function(*specs)


def _used(function: Any, names: Iterable[str]) -> list[str]:
    """Return those inputs that anything is computed from."""
    by_name = {tensor.op.name: tensor for tensor in function.inputs}
    return [name for name in names if by_name[name].consumers()]
