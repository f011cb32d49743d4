"""The proxy's and the model server's images at work: as nobody, on a read-only root file system, without a cluster.

A container runtime is not needed for that: the layers are unpacked and entered with `unshare` and `chroot`.
"""

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolchain import cache
from toolchain.images.archive import Settings
from toolchain.images.build import build
from toolchain.images.catalogue import CATALOGUE

pytestmark = pytest.mark.lab

IMAGES = {image.name: image for image in CATALOGUE}
# A read-only root with what a runtime adds to it: /proc, a writable /tmp, a few devices.
ENTER = """
set -eu
root=$1; shift
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/dev"
for device in null urandom; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mount -o remount,bind,ro "$root"
exec "$@"
"""


class Unpacked:
    """An image unpacked into a folder."""

    def __init__(self, name: str, root: Path) -> None:
        self.settings: Settings = IMAGES[name].settings
        self.root = root
        root.chmod(0o755)
        with tarfile.open(build(IMAGES[name], cache.host_architecture()).path) as archive:
            for layer in _json(archive, "manifest.json")[0]["Layers"]:
                with tarfile.open(fileobj=archive.extractfile(layer)) as content:
                    content.extractall(root, filter="tar")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the image, with its settings."""
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "enter", str(self.root)]
        become = ["/usr/sbin/chroot", f"--userspec={self.settings.user}", str(self.root), *command]
        return subprocess.run(
            [*enter, *become],
            env=dict(self.settings.environment) | {"PATH": f"{self.settings.environment['PATH']}:/usr/sbin:/sbin"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def _json(archive: tarfile.TarFile, name: str) -> list[dict[str, list[str]]]:
    file = archive.extractfile(name)
    assert file
    return json.load(file)


@pytest.fixture(scope="module", params=["proxy", "modelserver"])
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unpacked]:
    if os.geteuid() != 0:
        pytest.fail("entering an image needs root: run the tests as root, or leave the lab out with `make test-fast`")
    root = tmp_path_factory.mktemp(request.param)
    yield Unpacked(request.param, root)
    # Hundreds of MB, which pytest would keep for three runs.
    shutil.rmtree(root)


def test_the_entry_point_answers(image: Unpacked) -> None:
    done = image.run(*image.settings.entrypoint, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")


def test_it_is_nobody_and_cannot_write(image: Unpacked) -> None:
    done = image.run("python3", "-c", "import os; print(os.getuid()); open('/opt/kubevc/x', 'w')")
    assert done.stdout == "65534\n"
    assert "Read-only file system" in done.stderr


def test_every_library_that_a_module_links_to_is_there(image: Unpacked) -> None:
    modules = sorted(path.relative_to(image.root) for path in (image.root / "usr").rglob("*.cpython-311-*.so"))
    load = "import ctypes, sys\nfor path in sys.argv[1:]: ctypes.CDLL('/' + path)"
    # Modules of packages refer to symbols of one another, which their own package loads first.
    standard = [str(path) for path in modules if "lib-dynload" in path.parts]
    done = image.run("python3", "-c", load, *standard)
    assert standard
    assert done.returncode == 0, done.stderr


def test_every_module_of_the_program_can_be_imported(image: Unpacked) -> None:
    package = image.settings.entrypoint[-1]
    walk = (
        "import importlib, pkgutil, sys\n"
        f"import {package}\n"
        f"for found in pkgutil.walk_packages({package}.__path__, '{package}.'):\n"
        "    if not found.name.endswith(('__main__', 'tensorflow_runtime')): importlib.import_module(found.name)\n"
        "stale = [m for m in sys.modules.values() if getattr(m, '__cached__', None) and m.__file__.endswith('.py')]\n"
        "import os; print(sum(not os.path.exists(m.__cached__) for m in stale))\n"
    )
    done = image.run("python3", "-c", walk)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "0", "modules without compiled files"
