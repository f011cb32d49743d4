"""Texts: what a model card says of them, and the vocabulary that they are read with."""
