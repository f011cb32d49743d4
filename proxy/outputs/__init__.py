"""Outputs: what a prediction becomes on its way to the sender, one file per kind."""
