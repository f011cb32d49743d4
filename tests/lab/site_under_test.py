"""A site of the tests' own: its lab instance, its stack, and what a person would do with them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
INVENTORY = Path(__file__).with_name("inventory.sh")


@dataclass(frozen=True)
class Finished:
    """A command that ended: its status and all that it said."""

    status: int
    said: str


class SiteUnderTest:
    """Drives one lab instance and one stack through the same commands that a person types.

    The stack's state, its configuration and the journal of writes on hosts live in `folder`; the checkout stays as it
    is, and so does a site that is up beside it, because the instance has a network of its own.
    """

    def __init__(
        self, name: str, network_prefix: str, folder: Path, *, like: str = "edge-lab", patience_seconds: float = 600
    ) -> None:
        """Write the site's own file.

        Args:
            name: Name of instance and stack.
            network_prefix: First three parts of its addresses, with the dot behind them.
            folder: Where its state goes.
            like: The site of the repository that it resembles in everything else.
            patience_seconds: How long one command may take.
        """
        self.name = name
        self.prefix = network_prefix
        self.folder = folder
        self.definition = CHECKOUT / "lab" / f"{like}.yaml"
        self.patience_seconds = patience_seconds
        self.journal = folder / "journal.jsonl"
        self.config = folder / f"Pulumi.{name}.yaml"
        self.backend = folder / "backend"
        self.backend.mkdir()
        (folder / "passphrase").write_text("a passphrase of the tests")
        text = (CHECKOUT / f"Pulumi.{like}.yaml").read_text()
        self.config.write_text(text.replace(_prefix(self.definition), network_prefix).replace(like, name))

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables for the engine: the machine's own, with this site's state."""
        return {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{self.backend}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.folder / "passphrase"),
            "EDGEHOST_JOURNAL": str(self.journal),
            "KUBEVC_SITE_STATE": str(self.folder),
        }

    def lab(self, verb: str, *arguments: str, status: int | None = 0) -> Finished:
        """Run a verb of the lab on this instance."""
        return self._run([sys.executable, "-m", "lab", verb, "--name", self.name, *arguments], status)

    def start_hosts(self) -> None:
        """Start the instance's hosts, bare."""
        self.lab("up", "--definition", str(self.definition), "--network", f"{self.prefix}0/24")

    def on(self, host: str, command: str, status: int | None = 0) -> str:
        """Return what a shell command says on a host."""
        return self.lab("exec", host, "--", command, status=status).said

    def pulumi(self, verb: str, *arguments: str, status: int | None = 0, config: Path | None = None) -> Finished:
        """Run the engine on this site's stack."""
        return self._run(
            ["pulumi", *verb.split(), "--stack", self.name, "--non-interactive", "--color=never"]
            + (["--config-file", str(config or self.config)] if verb in {"up", "preview", "destroy", "refresh"} else [])
            + list(arguments),
            status,
        )

    def up(self, *arguments: str, status: int | None = 0) -> Finished:
        """Bring the site up."""
        return self.pulumi("up", "--yes", "--skip-preview", *arguments, status=status)

    def preview(self, *arguments: str, status: int | None = 0) -> Finished:
        """Say what differs."""
        return self.pulumi("preview", "--diff", *arguments, status=status)

    def destroy(self) -> Finished:
        """Give the hosts back."""
        return self.pulumi("destroy", "--yes", "--skip-preview")

    def outputs(self) -> dict[str, object]:
        """Return the stack's outputs, secrets included."""
        said = self.pulumi("stack output", "--json", "--show-secrets").said
        return json.loads(said)

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
        script = INVENTORY.read_text()
        finished = self._run([sys.executable, "-m", "lab", "exec", "--name", self.name, host, "--", "sh -s"], 0, script)
        return set(finished.said.splitlines())

    def kubectl(self, arguments: str, status: int | None = 0) -> str:
        """Return what kubectl says on the server."""
        return self.on("cp1", f"kubectl {arguments}", status=status)

    def _run(self, command: list[str], status: int | None, stdin: str | None = None) -> Finished:
        ended = subprocess.run(
            command,
            cwd=CHECKOUT,
            env=self.environment,
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=self.patience_seconds,
        )
        if status is not None and ended.returncode != status:
            shown = " ".join(command)
            raise AssertionError(f"{shown}\nended with {ended.returncode}, not {status}, and said:\n{ended.stdout}")
        return Finished(ended.returncode, ended.stdout)


def _prefix(definition: Path) -> str:
    """Return the first three parts of the addresses in a lab's definition, with the dot behind them."""
    network = yaml.safe_load(definition.read_text())["network"]
    return str(network).rpartition(".")[0] + "."


def differences(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """Return what differs between two inventories, as a person reads it."""
    gone, come = set(before) - set(after), set(after) - set(before)
    return sorted([f"- {line}" for line in gone] + [f"+ {line}" for line in come])
