"""The proof of a site: one real picture, sent last, whose answer must have the right form."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_command import local

from components.handles import Endpoint, ModelVolume, ServedModel
from components.site import Smoke


@dataclass(frozen=True, kw_only=True)
class SmokeRequestArgs:
    """What is sent where."""

    site_name: str
    """Names the picture that is written."""
    settings: Smoke
    """Model and picture."""
    picture_sha256: str
    """What the picture shows now."""
    endpoint: Endpoint
    """Where it is sent."""
    models: Sequence[ServedModel]
    """What must be ready first."""
    volume: ModelVolume
    """What must be published first."""


class SmokeRequest(pulumi.ComponentResource):
    """Send the picture once after every change of what answers it, and fail the stack without a good answer."""

    answer: pulumi.Output[dict[str, Any]]

    def __init__(self, name: str, args: SmokeRequestArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:smoke:SmokeRequest", name, None, opts)
        command = local.Command(
            f"{name}-request",
            create=args.endpoint.url.apply(lambda url: command_line(args.site_name, args.settings, url)),
            triggers=[
                *(model.ready for model in args.models),
                *args.volume.published.values(),
                args.endpoint.ready,
                args.picture_sha256,
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.answer = command.stdout.apply(json.loads)
        self.register_outputs({"answer": self.answer})


def command_line(site_name: str, settings: Smoke, url: str) -> str:
    """Return the shell command that sends the picture; it names nothing of this checkout's place."""
    arguments = {
        "endpoint": url,
        "model": settings.model,
        "picture": str(settings.picture),
        "annotated": f".state/smoke/{site_name}.png",
        "wait-seconds": str(settings.timeout_seconds),
    }
    flags = " ".join(f"--{name} {shlex.quote(value)}" for name, value in arguments.items())
    return f'mkdir -p .state/smoke && PATH="$PWD/.venv/bin:$PATH" python -m proxy.smoke {flags}'
