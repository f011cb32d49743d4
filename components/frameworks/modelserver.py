"""This project's own server, in its own image; see docs/modelserver.md."""

from components.frameworks.framework import Framework

FRAMEWORK = Framework(
    command=("python3", "-m", "modelserver"),
    architectures=("amd64", "arm64"),
    image_artifact="image-modelserver",
    image_reference=None,
)
