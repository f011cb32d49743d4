"""Letting go of a host that will never answer again."""

import os

FORGET_VARIABLE = "EDGEHOST_FORGET_UNREACHABLE"


def forgets_unreachable() -> bool:
    """Return whether the person asked to delete resources of hosts that do not answer without cleaning them."""
    return bool(os.environ.get(FORGET_VARIABLE))
