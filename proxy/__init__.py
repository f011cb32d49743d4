"""The endpoint proxy: pictures and JSON in over HTTP, tensors to a model server over gRPC, answers out as JSON."""
