"""Decoders: one file per family of models, all with the same two methods; `registry.py` lists them."""
