"""A lab instance of the tests' own: its definition, its verbs, and the traces that it could leave."""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
NAME = "kvtest"
NETWORK = "10.98.7.0/24"
PREFIX = "10.98.7."

DEFINITION = """
network: 10.98.7.0/24
profiles:
  half: {cpus: 0.5, memory-mib: 256}
  store: {cpus: 2, memory-mib: 512}
hosts:
  - {name: edge1, number: 12, profile: half}
  - {name: nfs1, number: 31, profile: store, image: store}
"""


@dataclass(frozen=True)
class LabUnderTest:
    """Drives the instance through the commands that a person types."""

    definition: Path
    checkout: Path = CHECKOUT

    def start(self, verb: str, *arguments: str) -> "subprocess.Popen[str]":
        """Start a verb of the lab and return at once."""
        command = [sys.executable, "-m", "lab", verb, "--name", NAME, *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.checkout, text=True, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )

    def run(self, verb: str, *arguments: str, status: int = 0) -> str:
        """Run a verb of the lab and return all that it said."""
        process = self.start(verb, *arguments)
        out, error = process.communicate(timeout=120)
        assert process.returncode == status, f"lab {verb} ended with {process.returncode}:\n{out}{error}"
        return out + error

    def start_up(self) -> "subprocess.Popen[str]":
        """Start `lab up` and return at once."""
        return self.start("up", "--definition", str(self.definition))

    def up(self, status: int = 0) -> str:
        """Bring the instance up."""
        return self.run("up", "--definition", str(self.definition), status=status)

    def on(self, host: str, command: str, status: int = 0) -> str:
        """Return what a shell command says on a host."""
        return self.run("exec", host, "--", command, status=status)


def traces() -> set[str]:
    """Return everything on this machine that carries the instance's name."""
    port = f"v{hashlib.sha256(NAME.encode()).hexdigest()[:4]}-"
    links = [line.split()[0] for line in _output("ip", "-brief", "link").splitlines()]
    found = {f"link {link}" for link in links if link == f"lab-{NAME}" or link.startswith(port)}
    found |= {f"namespace {line}" for line in _output("ip", "netns").splitlines() if f"lab.{NAME}." in line}
    found |= {f"mount {line}" for line in Path("/proc/self/mountinfo").read_text().splitlines() if f"/{NAME}/" in line}
    found |= {f"rule {line}" for line in _output("iptables", "-S").splitlines() if f"kubevc-lab.{NAME}" in line}
    found |= {f"group {path}" for path in Path("/sys/fs/cgroup").glob(f"**/kubevc-lab/{NAME}")}
    found |= {f"folder {path}" for path in Path("/var/lib/kubevc/lab").glob(NAME)}
    found |= {f"folder {path}" for path in Path("/run/systemd/nspawn/propagate").glob(f"lab.{NAME}.*")}
    return found | {f"process {process}" for process in _processes()}


def _processes() -> set[str]:
    """Return the command lines of the processes that are in the instance's control groups or speak of it."""
    found: set[str] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            group = (folder / "cgroup").read_text()
            arguments = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        # One that has ended and waits to be noticed has no command line any more.
        if arguments and (f"/kubevc-lab/{NAME}/" in group or f"lab.{NAME}." in arguments):
            found.add(f"{folder.name} {arguments}")
    return found


def _output(*command: str) -> str:
    return subprocess.run(command, text=True, capture_output=True, check=True).stdout
