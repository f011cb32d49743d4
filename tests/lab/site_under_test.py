"""A trial site with what tests ask of it: writes on its hosts, inventories, kubectl."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments.trial import Finished, Trial

INVENTORY = Path(__file__).with_name("inventory.sh")


class SiteUnderTest(Trial):
    """Looks at a trial's hosts and cluster from the side, as an operator would who trusts nothing."""

    def __init__(
        self,
        name: str,
        network_prefix: str,
        folder: Path,
        *,
        like: str = "edge-lab",
        kubeconfig: str = "/etc/rancher/k3s/k3s.yaml",
        patience_seconds: float = 900,
    ) -> None:
        self._kubeconfig = kubeconfig
        self.journal = folder / "journal.jsonl"
        variables = {"EDGEHOST_JOURNAL": str(self.journal)}
        super().__init__(name, network_prefix, folder, variables, like=like, patience_seconds=patience_seconds)

    @contextmanager
    def bare_hosts(self) -> Iterator[None]:
        """Have the hosts, bare, and an empty stack; the hosts are gone afterwards."""
        if os.geteuid() != 0:
            pytest.fail("the lab needs root: run the tests as root, or leave the lab out with `make test-fast`")
        with super().bare_hosts():
            yield

    def on(self, host: str, command: str, status: int | None = 0) -> str:
        """Return what a shell command says on a host."""
        return self.lab("exec", host, "--", command, status=status).said

    def update(self, verb: str, *arguments: str, status: int | None = 0) -> Finished:
        """Run `up` or `preview` as `make` does, which helps itself where the API does not answer."""
        command = [sys.executable, "-m", "components.update", str(self.folder / "events.jsonl")]
        return self.run([*command, *self.engine(verb), *arguments], status)

    def preview(self, *arguments: str, status: int | None = 0) -> Finished:
        """Say what differs."""
        return self.pulumi("preview", "--diff", *arguments, status=status)

    def outputs(self) -> dict[str, object]:
        """Return the stack's outputs, secrets included."""
        return json.loads(self.pulumi("stack output", "--json", "--show-secrets").said)

    def writes(self) -> list[dict[str, object]]:
        """Return the writes on hosts that were noted since the journal was last cleared."""
        if not self.journal.exists():
            return []
        return [json.loads(line) for line in self.journal.read_text().splitlines()]

    def clear_journal(self) -> None:
        """Forget the writes so far."""
        self.journal.unlink(missing_ok=True)

    def inventory(self, host: str) -> set[str]:
        """Return what a host is, as lines."""
        return set(self.lab("exec", host, "--", "sh -s", stdin=INVENTORY.read_text()).said.splitlines())

    def kubectl(self, arguments: str, status: int | None = 0) -> str:
        """Return what kubectl says on the server."""
        administrator = f"KUBECONFIG={self._kubeconfig} kubectl --cache-dir=/tmp/kubectl"
        return self.on("cp1", f"{administrator} {arguments}", status=status)

    @contextmanager
    def unreachable(self, host: str) -> Iterator[None]:
        """Have a host's SSH server answer nobody for a while, as behind a broken line."""
        rule = "INPUT -p tcp --dport 22 -j DROP"
        inside = ["ip", "netns", "exec", f"lab.{self.name}.{host}", "iptables"]
        self.run([*inside, "-I", *rule.split()], 0)
        try:
            yield
        finally:
            self.run([*inside, "-D", *rule.split()], 0)

    def settings(self) -> dict[str, Any]:
        """Return what the site's file says."""
        return yaml.safe_load(self.config.read_text())["config"]["kubevc:site"]

    def set_settings(self, settings: dict[str, Any]) -> None:
        """Write the site's file anew; the next `up` makes it so."""
        content = yaml.safe_load(self.config.read_text())
        content["config"]["kubevc:site"] = settings
        self.config.write_text(yaml.safe_dump(content))

    def copy_model(self, name: str) -> Path:
        """Have the site take a model from a copy of its folder, and return the copy, which a test may change."""
        settings = self.settings()
        model = next(model for model in settings["models"] if model["name"] == name)
        copy = self.folder / name
        shutil.copytree(model["source"].replace("${KUBEVC_CACHE}", self.environment["KUBEVC_CACHE"]), copy)
        model["source"] = str(copy)
        self.set_settings(settings)
        return copy


def differences(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """Return what differs between two inventories, as a person reads it."""
    gone, come = set(before) - set(after), set(after) - set(before)
    return sorted([f"- {line}" for line in gone] + [f"+ {line}" for line in come])
