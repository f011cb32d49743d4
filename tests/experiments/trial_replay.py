"""A trial that replays what a lab and an engine said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.trial import Finished

URN = "urn:pulumi:t3-k3s::kubevc::kubevc:smoke:SmokeRequest$command:local:Command::smoke-request"
EVENTS = (
    {"timestamp": 500, "preludeEvent": {"config": {}}},
    {"timestamp": 541, "resourcePreEvent": {"metadata": {"op": "create", "urn": URN}}},
    {"timestamp": 543, "resOutputsEvent": {"metadata": {"op": "create", "urn": URN}}},
)


class ReplayedTrial:
    """Takes the place of a trial; `did` holds what was asked of any, in order."""

    did: list[str]

    def __init__(self, name: str, network_prefix: str, folder: Path, *, like: str) -> None:
        self.name, self.folder = name, folder
        self.did.append(f"{name} like {like} in {network_prefix}")

    @contextmanager
    def bare_hosts(self) -> Iterator[None]:
        self.did.append("hosts")
        try:
            yield
        finally:
            self.did.append("gone")

    def up(self, *arguments: str) -> None:
        self.did.append("up")
        if arguments:
            _, log = arguments
            Path(log).write_text("".join(json.dumps(event) + "\n" for event in EVENTS))

    def pulumi(self, *_: str) -> Finished:
        return Finished(0, json.dumps({"versions": {"kubernetes": "v1.26.2+k3s1"}}))

    def lab(self, verb: str, host: str, _: str, command: str) -> Finished:
        self.did.append(f"{verb} {host}: {command}")
        logs = "kube-system_coredns-x_1111\nserving_detector-0_2222\n"
        return Finished(
            0, logs if command.startswith("ls") else "containerd github.com/containerd/containerd 1.6.20 x\n"
        )

    def run(self, *_: object) -> Finished:
        return Finished(0, "v3.259.0\n")
