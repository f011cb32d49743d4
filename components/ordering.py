"""The order in which resources are made."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi


def after(options: pulumi.ResourceOptions, needs: Iterable[pulumi.Resource]) -> pulumi.ResourceOptions:
    """Return options with which a resource also waits for others, and goes before them."""
    return pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=list(needs)))
