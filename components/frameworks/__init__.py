"""The servers that can serve a model, one file each; this one chooses."""

from __future__ import annotations

from components.frameworks import modelserver, tensorflow_serving
from components.frameworks.framework import Framework

FRAMEWORKS: dict[str, Framework] = {
    "modelserver": modelserver.FRAMEWORK,
    "tensorflow-serving": tensorflow_serving.FRAMEWORK,
}


def framework_of(name: str) -> Framework:
    """Return the framework that the site's file calls by this name."""
    return FRAMEWORKS[name]
