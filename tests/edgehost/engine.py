"""A small Pulumi program, run by the real engine with the real provider."""

import asyncio
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = """\
name: hosts
runtime: python
options: {{refresh: always}}
plugins:
  providers:
    - {{name: edgehost, path: {path}}}
"""
PREAMBLE = """\
import pulumi
from edgehost import client

edge1 = {{"name": "edge1", "address": "127.0.0.1"}}
provider = client.Provider(
    "hosts", port={port}, private_key_file={key!r}, known_hosts_file={known_hosts!r}, connect_timeout_seconds=2
)
options = pulumi.ResourceOptions(provider=provider)
"""


@dataclass
class Program:
    """Hold a project in a folder of its own, with its own state and plugin home."""

    folder: Path
    preamble: str
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def write(self, program: str) -> None:
        """Write the program that the next command runs."""
        (self.folder / "Pulumi.yaml").write_text(PROJECT.format(path=ROOT / "edgehost"))
        (self.folder / "__main__.py").write_text(self.preamble + program)

    async def pulumi(self, *arguments: str, status: int | None = 0, **environment: str) -> str:
        """Run the engine and return all that it said; None as status takes any."""
        process = await asyncio.create_subprocess_exec(
            "pulumi",
            *arguments,
            cwd=self.folder,
            env={**os.environ, **self._own_environment(), **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = (await process.communicate())[0].decode()
        if status is not None and process.returncode != status:
            raise AssertionError(f"pulumi {' '.join(arguments)} ended with {process.returncode}:\n{said}")
        return said

    def _own_environment(self) -> dict[str, str]:
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        return {
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PYTHONPATH": str(ROOT),
            "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            **self.environment,
        }


def is_there() -> bool:
    """Return whether an engine is on PATH, as `make test` puts it there."""
    return shutil.which("pulumi") is not None
