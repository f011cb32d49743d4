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
            create=args.endpoint.url.apply(lambda url: command_line(args, url)),
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


def command_line(args: SmokeRequestArgs, url: str) -> str:
    """Return the shell command that sends the picture; it names nothing of this checkout's place.

    It names the files of key and certificates, and holds nothing of them.
    """
    settings = args.settings
    arguments = {
        "endpoint": url,
        "model": settings.model,
        "picture": str(settings.picture),
        "annotated": f".state/smoke/{args.site_name}.png",
        "wait-seconds": str(settings.timeout_seconds),
        "certificate": args.endpoint.certificate_file,
        "key-file": settings.key_file,
        "client-certificate": settings.client_certificate_file,
        "client-private-key": settings.client_private_key_file,
    }
    given = {name: str(value) for name, value in arguments.items() if value is not None}
    flags = " ".join(f"--{name} {shlex.quote(value)}" for name, value in given.items())
    return f'mkdir -p .state/smoke && PATH="$PWD/.venv/bin:$PATH" python -m proxy.smoke {flags}'
