"""The models as steps of `python -m toolchain setup --lab`."""

from dataclasses import dataclass

from toolchain.models import pictures, recipe
from toolchain.models.build import build
from toolchain.models.catalogue import CATALOGUE, Model


@dataclass(frozen=True)
class ModelStep:
    """Make one model of the catalogue."""

    model: Model

    @property
    def name(self) -> str:
        """Say what is made."""
        return f"model {self.model.name}: {self.model.title}"

    def is_done(self) -> bool:
        """Say whether the model and the pictures are in the cache."""
        return recipe.is_current(self.model) and pictures.are_present()

    def run(self) -> None:
        """Make the model.

        Raises:
            ModelError: It cannot be made.
        """
        pictures.copy()
        build(self.model)


STEPS = tuple(ModelStep(model) for model in CATALOGUE)
