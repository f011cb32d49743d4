"""Turn fetched weights into SavedModels. Only this package imports TensorFlow; it runs in a process of its own."""
