"""Google's TensorFlow Serving. Its official image exists for amd64 only."""

from components.frameworks.framework import Framework

FRAMEWORK = Framework(
    command=("tensorflow_model_server",),
    architectures=("amd64",),
    image_artifact=None,
    image_reference="docker.io/tensorflow/serving:2.19.1",
)
