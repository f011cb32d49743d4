"""A stand-in for containerd 1.6 and its `ctr`, for machines that have neither.

`ctr_stand_in.py serve SOCKET` is the daemon: it only listens. Any other arguments are those of `ctr`; what it knows
lies beside the socket. It does what was seen of ctr 1.6.20 with the interface of the kubelet active, and says it in the
same words. The tests run against the real ones as well wherever they are installed.
"""

import fcntl
import hashlib
import json
import os
import platform
import socket
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
OPTIONS = ("--address", "--connect-timeout", "--namespace")


def serve(path: str) -> None:
    """Listen, and answer nothing: a stand-in's knowledge is in a file."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    while True:
        listener.accept()[0].close()


class Runtime:
    """What is in the runtime: the digest behind each name."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "images.json"
        self._lock = (folder / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.images: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def close(self) -> None:
        """Keep what is in it."""
        self._file.write_text(json.dumps(self.images))
        self._lock.close()

    def find(self, filters: Sequence[str]) -> list[str]:
        """List the names that fit any of the filters; all when there is none."""
        return sorted(name for name in self.images if not filters or any(self._fits(name, text) for text in filters))

    def _fits(self, name: str, text: str) -> bool:
        values = {"name": name, "target.digest": self.images[name]}
        return all(values[key] == wanted for key, _, wanted in (part.partition("==") for part in text.split(",")))


def list_images(runtime: Runtime, arguments: Sequence[str]) -> None:
    """Print names, or a table with as many columns as the real one has."""
    names = runtime.find([argument for argument in arguments if not argument.startswith("-")])
    if "--quiet" in arguments or "-q" in arguments:
        print("".join(f"{name}\n" for name in names), end="")
        return
    print("REF TYPE DIGEST SIZE PLATFORMS LABELS")
    for name in names:
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        print(f"{name} {kind} {runtime.images[name]} 5.0 MiB linux/amd64 io.cri-containerd.image=managed")


def import_archive(runtime: Runtime, path: str) -> None:
    """Add an archive's images: under their names, and under the image's id as the kubelet's interface does."""
    try:
        with tarfile.open(path) as archive:
            for entry in json.loads(_read(archive, "manifest.json")):
                _add(runtime, entry, _read(archive, entry["Config"]))
    except (tarfile.TarError, KeyError):
        sys.exit("ctr: unexpected EOF")


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member
    return member.read()


def _add(runtime: Runtime, entry: dict[str, list[str]], configuration: bytes) -> None:
    if json.loads(configuration)["architecture"] != ARCHITECTURES[platform.machine()]:
        sys.exit("ctr: image might be filtered out")
    digest = f"sha256:{hashlib.sha256(json.dumps(entry['Layers']).encode()).hexdigest()}"
    for name in entry["RepoTags"] or []:
        full = name if "/" in name else f"docker.io/library/{name}"
        runtime.images[full] = runtime.images[f"sha256:{hashlib.sha256(configuration).hexdigest()}"] = digest
        print(f"unpacking {full} ({digest})...done")


def remove(runtime: Runtime, names: Sequence[str]) -> None:
    """Remove names; one that is not there is no error."""
    for name in names:
        if runtime.images.pop(name, None):
            print(name)
        else:
            print(f'level=warning msg="{name}: image not found"', file=sys.stderr)


def tag(runtime: Runtime, name: str, other: str) -> None:
    """Give an image another name as well, whatever had that name."""
    runtime.images[other] = runtime.images[name]
    print(other)


def main(arguments: list[str]) -> None:
    """Do what ctr does."""
    options: dict[str, str] = {}
    while arguments[0] in OPTIONS:
        options[arguments[0]] = arguments[1]
        arguments = arguments[2:]
    address = options["--address"]
    try:
        socket.socket(socket.AF_UNIX).connect(address)
    except OSError:
        sys.exit(f'ctr: failed to dial "{address}": context deadline exceeded')
    folder = Path(address).parent
    if arguments == ["plugins", "ls", "--detailed"]:
        print(f"Type:  io.containerd.content.v1\nID:    content\nExports:\n       root  {folder}\n")
        return
    assert options["--namespace"] == "k8s.io", options
    runtime = Runtime(folder)
    match arguments:
        case ["images", "ls", *rest]:
            list_images(runtime, rest)
        case ["images", "import", path]:
            import_archive(runtime, path)
        case ["images", "tag", "--force", name, other]:
            tag(runtime, name, other)
        case ["images", "rm", *rest]:
            remove(runtime, [name for name in rest if name != "--sync"])
        case _:
            sys.exit(f"ctr: the stand-in knows no {arguments}")
    runtime.close()


if __name__ == "__main__":
    os.umask(0o022)
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    main(sys.argv[1:])
