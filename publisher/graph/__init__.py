"""What is added to a model's graph, in TensorFlow. One file per part; nothing here reads or writes files."""
