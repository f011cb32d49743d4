"""The images as steps of `python -m toolchain setup --lab`."""

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.images import kubeadm
from toolchain.images.build import build, find
from toolchain.images.catalogue import ANY_SITE
from toolchain.images.image import Image


@dataclass(frozen=True)
class ImageStep:
    """Make one image of the catalogue for one architecture."""

    image: Image
    architecture: str

    @property
    def name(self) -> str:
        """Say what is made."""
        return f"image {self.image.name} for {self.architecture}"

    def is_done(self) -> bool:
        """Say whether the table holds the image that the present sources give."""
        return find(self.image, self.architecture) is not None

    def run(self) -> None:
        """Make the image.

        Raises:
            ToolchainError: One of its parts cannot be had.
        """
        build(self.image, self.architecture)


def steps(architecture: str) -> tuple[ImageStep, ...]:
    """Return the steps for nodes of one architecture, whatever the site's distribution is."""
    return _steps(ANY_SITE, architecture)


def kubeadm_steps(architecture: str) -> tuple[ImageStep, ...]:
    """Return the further steps for nodes of a kubeadm site."""
    return _steps(kubeadm.IMAGES, architecture)


def earlier_kubernetes_steps(architecture: str) -> tuple[ImageStep, ...]:
    """Return the steps for the images of the version of Kubernetes that an upgrade begins with."""
    return _steps(kubeadm.EARLIER_IMAGES, architecture)


def _steps(images: Sequence[Image], architecture: str) -> tuple[ImageStep, ...]:
    return tuple(ImageStep(image, architecture) for image in images if architecture in image.architectures)
