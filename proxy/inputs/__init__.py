"""Inputs: what a body becomes on its way into the model, one file per kind."""
