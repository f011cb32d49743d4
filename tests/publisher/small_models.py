"""Small SavedModels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

CLASSIFY = "tensorflow/serving/classify"


class Classifier(tf.Module):
    """A convolution and a layer, float32 [N, 8, 12, 3] to four probabilities."""

    def __init__(self) -> None:
        """Draw the weights."""
        super().__init__()
        random = np.random.default_rng(1)
        self.kernel = tf.Variable(random.standard_normal((3, 3, 3, 64)).astype(np.float32))
        self.weights = tf.Variable(random.standard_normal((64, 4)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec([None, 8, 12, 3], tf.float32, name="image")])
    def serve(self, image):
        """Return probabilities, and the layer before them."""
        # What stands at the start of many models: constants that TensorFlow would like to merge with those before them.
        found = tf.nn.relu(tf.nn.conv2d(image * 0.7 / 1.3, self.kernel, 2, "SAME"))
        pooled = tf.reduce_mean(found, axis=[1, 2])
        return {"probabilities": tf.nn.softmax(pooled @ self.weights), "pooled": pooled}

    @tf.function(input_signature=[tf.TensorSpec([None, 64], tf.float32, name="pooled")])
    def classify(self, pooled):
        """Return scores of the last layer alone."""
        return {"scores": tf.nn.softmax(pooled @ self.weights)}


def save_classifier(folder: Path) -> None:
    """Write the classifier with a signature for Classify beside its own."""
    module = Classifier()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve, "last": module.classify})
    file = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    model.meta_graphs[0].signature_def["last"].method_name = CLASSIFY
    file.write_bytes(model.SerializeToString())


def save_frozen_detector(folder: Path) -> None:
    """Write a detector as old exports are: weights as constants, one picture of 8 x 8, NCHW; it answers rows."""
    v1 = tf.compat.v1
    boxes = np.array([[0, 0, 4, 4], [0, 0, 4, 5], [4, 4, 8, 8]], np.float32)
    with v1.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        image = v1.placeholder(tf.float32, [1, 3, 8, 8], name="image")
        mean = tf.reduce_mean(image, axis=[1, 2, 3]) / 255.0
        scores = tf.stack([mean, mean * 0.9, mean * 0.5], axis=1)
        rows = tf.concat([tf.constant(boxes)[None], scores[..., None], tf.constant([[[1.0], [1.0], [2.0]]])], axis=2)
        weights = tf.constant(np.random.default_rng(1).standard_normal((64, 1024)).astype(np.float32))
        unused = tf.reduce_sum(weights, axis=0)[None] + mean
        signature = v1.saved_model.predict_signature_def({"image": image}, {"detections": rows, "wide": unused})
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
