"""Rivals: other ways to the same answer, measured beside the proxy in the same run."""
