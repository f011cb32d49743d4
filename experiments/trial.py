"""A site for one trial: a lab instance and a stack of its own, gone afterwards.

Whoever measures or tests a site drives it through the same commands that a person types. The stack's state and its
configuration live in a folder of the trial's; the checkout stays as it is, and so does a site that is up beside it,
because the instance has a network of its own.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from experiments.process import CHECKOUT, started

TAKES_CONFIGURATION = {"up", "preview", "destroy", "refresh"}


@dataclass(frozen=True)
class Finished:
    """A command that ended: its status and all that it said."""

    status: int
    said: str


class TrialFailed(Exception):
    """A trial did not go as it should; the text says what happened."""


class CommandFailed(TrialFailed):
    """A command of a trial did not end as it should; the text is the command and all that it said."""


class Trial:
    """One lab instance and one stack, made after the site file of a lab."""

    def __init__(
        self,
        name: str,
        network_prefix: str,
        folder: Path,
        variables: Mapping[str, str] | None = None,
        *,
        like: str = "edge-lab",
        patience_seconds: float = 900,
    ) -> None:
        """Write the trial's site file.

        Args:
            name: Name of instance, stack and site; at most eleven characters.
            network_prefix: First three numbers of the instance's addresses, such as `10.99.77.`.
            folder: An empty folder for the stack's state and configuration.
            variables: Environment for the engine beside the machine's own.
            like: The lab of this repository that the trial's is like, but for its name and network.
            patience_seconds: How long one command may take.
        """
        self.name = name
        self.prefix = network_prefix
        self.folder = folder
        self.config = folder / f"Pulumi.{name}.yaml"
        self._variables = dict(variables or {})
        self._definition = CHECKOUT / "lab" / f"{like}.yaml"
        self._patience_seconds = patience_seconds
        (folder / "backend").mkdir()
        (folder / "tmp").mkdir()
        (folder / "passphrase").write_text("a passphrase of a trial")
        # A lab that is up has the salt of its own passphrase in its file.
        lines = (CHECKOUT / f"Pulumi.{like}.yaml").read_text().splitlines(keepends=True)
        text = "".join(line for line in lines if not line.startswith("encryptionsalt:"))
        self.config.write_text(text.replace(_prefix(self._definition), network_prefix).replace(like, name))

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables for the engine: the machine's own, with this trial's state."""
        return {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.folder / "passphrase"),
            "TMPDIR": str(self.folder / "tmp"),
            "PULUMI_DEBUG_COMMANDS": "true",
            **self._variables,
        }

    @property
    def hosts(self) -> list[str]:
        """Return the names of the instance's hosts."""
        return [host["name"] for host in yaml.safe_load(self._definition.read_text())["hosts"]]

    def lab(self, verb: str, *arguments: str, status: int | None = 0, stdin: str | None = None) -> Finished:
        """Run a verb of the lab on this instance."""
        return self.run([sys.executable, "-m", "lab", verb, "--name", self.name, *arguments], status, stdin)

    def start_hosts(self) -> None:
        """Start the instance's hosts, bare."""
        self.lab("up", "--definition", str(self._definition), "--network", f"{self.prefix}0/24")

    @contextmanager
    def bare_hosts(self) -> Iterator[None]:
        """Have the hosts, bare, and an empty stack; whatever happens meanwhile, the hosts are gone afterwards."""
        self.lab("down")
        try:
            self.start_hosts()
            self.create_stack()
            yield
        finally:
            self.lab("down")

    def create_stack(self) -> None:
        """Make the stack, empty."""
        self.pulumi("stack init")
        # The engine keeps the salt of the passphrase beside its project file; `--config-file` has its own.
        (CHECKOUT / f"Pulumi.{self.name}.yaml").unlink(missing_ok=True)

    def pulumi(self, verb: str, *arguments: str, status: int | None = 0, config: Path | None = None) -> Finished:
        """Run the engine on this trial's stack.

        Args:
            verb: One verb or two, such as `stack output`.
            arguments: What follows.
            status: The exit status that is right; None for any.
            config: Another site file than the trial's.

        Raises:
            CommandFailed: The engine ended with another status.
        """
        return self.run([*self.engine(verb, config), *arguments], status)

    def engine(self, verb: str, config: Path | None = None) -> list[str]:
        """Return the engine's command for a verb on this trial's stack."""
        command = ["pulumi", *verb.split(), "--stack", self.name, "--non-interactive", "--color=never"]
        return [*command, "--config-file", str(config or self.config)] if verb in TAKES_CONFIGURATION else command

    def up(self, *arguments: str, status: int | None = 0) -> Finished:
        """Bring the site up."""
        return self.pulumi("up", "--yes", "--skip-preview", *arguments, status=status)

    def destroy(self) -> Finished:
        """Give the hosts back."""
        return self.pulumi("destroy", "--yes", "--skip-preview")

    def run(self, command: Sequence[str], status: int | None, stdin: str | None = None) -> Finished:
        """Run a command in the checkout, with the trial's variables; output and errors come as one text."""
        # In a process group of its own: Ctrl-C reaches this program alone, which then lets the engine end its plugins.
        with started(
            command,
            env=self.environment,
            process_group=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            output, _ = process.communicate((stdin or "").encode(), timeout=self._patience_seconds)
        said = output.decode(errors="replace")
        if status is not None and process.returncode != status:
            shown = " ".join(command)
            raise CommandFailed(f"{shown}\nended with {process.returncode}, not {status}, and said:\n{said}")
        return Finished(process.returncode, said)


def _prefix(definition: Path) -> str:
    """Return the first three numbers of the addresses in a lab's definition, such as `10.99.0.`."""
    network = yaml.safe_load(definition.read_text())["network"]
    return str(network).rpartition(".")[0] + "."
