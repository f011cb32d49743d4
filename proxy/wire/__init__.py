"""The wire: tensors and messages of the TensorFlow Serving protocol."""
