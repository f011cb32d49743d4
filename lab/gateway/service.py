"""Start the gateway of an instance and find out whether it answers."""

import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lab import debian
from lab.cgroup import ControlGroup
from lab.errors import HostError
from lab.network import Network
from lab.paths import CHECKOUT, artifacts, lab_cache

MIRROR_PORT = 8080
APT_PORT = 3142
_START_SECONDS = 15


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """The mirror and the apt cache of one instance, on the first address of its network."""

    network: Network
    log: Path

    @property
    def mirror_url(self) -> str:
        """Where the hosts find artifacts."""
        return f"http://{self.network.gateway}:{MIRROR_PORT}"

    @property
    def apt_proxy(self) -> str:
        """Where the hosts find Debian packages."""
        return f"http://{self.network.gateway}:{APT_PORT}"

    @property
    def group(self) -> ControlGroup:
        """The control group of its process."""
        return ControlGroup(f"{self.network.instance}/gateway")

    def start(self) -> None:
        """Start it and wait until it answers; nothing happens when it does already.

        Raises:
            HostError: It ended, or does not answer in time.
        """
        if self.answers():
            return
        self.group.kill()
        self.group.create()
        for folder in (artifacts(), lab_cache() / "apt"):
            folder.mkdir(parents=True, exist_ok=True)
        process = self._spawn()
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise self._silent()
            time.sleep(0.05)

    def answers(self) -> bool:
        """Say whether both ports of this instance's process take connections."""
        return bool(self.group.processes()) and all(self._open(port) for port in (MIRROR_PORT, APT_PORT))

    def _open(self, port: int) -> bool:
        try:
            with socket.create_connection((str(self.network.gateway), port), timeout=1):
                return True
        except OSError:
            return False

    def _spawn(self) -> "subprocess.Popen[bytes]":
        mirrors = debian.mirrors()
        archives = sorted({str(urlsplit(url).hostname) for url in (mirrors.main, mirrors.security)})
        command = [sys.executable, "-m", "lab.gateway"]
        command += ["--address", str(self.network.gateway)]
        command += ["--mirror-port", str(MIRROR_PORT), "--artifacts", str(artifacts())]
        command += ["--apt-port", str(APT_PORT), "--packages", str(lab_cache() / "apt")]
        command += [f"--archive={archive}" for archive in archives]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.group.entering(command),
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _silent(self) -> HostError:
        said = self.log.read_text(errors="replace").strip().splitlines()[-1:] or ["nothing"]
        return HostError(
            f"gateway {self.network.gateway} of lab {self.network.instance}",
            f"ports {MIRROR_PORT} and {APT_PORT} do not answer; the last it said: {said[0]}",
            "the hosts get no packages and no artifacts",
            f"read {self.log}; if a port is taken, choose another network: python -m lab up --network 10.98.7.0/24",
        )
