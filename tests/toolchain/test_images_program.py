"""The layers with Python in them: the repository's own programs and the locked packages."""

import ast
import base64
import hashlib
import marshal
import re
import shutil
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from toolchain.images import bytecode, program, wheels
from toolchain.images.errors import CompileError, WheelError
from toolchain.images.layer import Layer

PROGRAMS = ("proxy", "modelserver")


def checkout(folder: Path, source: str = "NUMBER = 1\nCASES = {'a', 'b', 'c'}\n") -> Path:
    """Make a repository with one program and finished stubs."""
    (folder / "serve").mkdir(parents=True)
    (folder / "serve" / "__init__.py").write_text(source)
    (folder / "serve" / "build.py").write_text("")
    (folder / "serve" / "table.yaml").write_text("a: 1\n")
    stubs = folder / "protos" / "stubs" / "inference"
    stubs.mkdir(parents=True)
    for name in ("a_pb2.py", "a_pb2.pyi"):
        (stubs / name).write_text("")
    for name in ("__init__.py", "pool.py", "a.proto"):
        (folder / "protos" / name).write_text("")
    (folder / "protos" / "build.py").write_text("# Called with --if-stale before the stubs are taken.\n")
    (folder / "LICENSE").write_text("Apache-2.0")
    return folder


def names(layer: Layer) -> set[str]:
    with tarfile.open(layer.path) as content:
        files = {entry.name for entry in content if entry.isfile()}
    return {name.removeprefix("opt/kubevc/") for name in files if not name.endswith(".pyc")}


def read(layer: Layer, name: str) -> bytes:
    with tarfile.open(layer.path) as content:
        file = content.extractfile(name)
        assert file
        return file.read()


def test_a_program_comes_with_its_data_the_stubs_and_the_licence(tmp_path: Path) -> None:
    assert names(program.layer("serve", checkout(tmp_path))) == {
        "serve/__init__.py",
        "serve/build.py",
        "serve/table.yaml",
        "protos/__init__.py",
        "protos/pool.py",
        "protos/stubs/inference/a_pb2.py",
        "LICENSE",
    }


def test_two_checkouts_of_the_same_content_give_the_same_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = set()
    for name in ("one", "other-and-longer"):
        # A cache of its own, so that the second layer is really made.
        monkeypatch.setenv("KUBEVC_CACHE", str(tmp_path / "caches" / name))
        digests.add(program.layer("serve", checkout(tmp_path / name)).sha256)
    assert len(digests) == 1


def test_a_change_of_the_program_gives_another_layer(tmp_path: Path) -> None:
    one = program.layer("serve", checkout(tmp_path / "one"))
    other = program.layer("serve", checkout(tmp_path / "other", "NUMBER = 2\n"))
    assert one.sha256 != other.sha256


def test_compiled_files_are_used_without_looking_at_times(tmp_path: Path) -> None:
    layer = program.layer("serve", checkout(tmp_path))
    compiled = read(layer, f"opt/kubevc/serve/__pycache__/__init__.cpython-{bytecode.VERSION.replace('.', '')}.pyc")
    unchecked_hash = 0b01
    assert int.from_bytes(compiled[4:8], "little") == unchecked_hash
    if f"{sys.version_info.major}.{sys.version_info.minor}" == bytecode.VERSION:
        assert marshal.loads(compiled[16:]).co_filename == "/opt/kubevc/serve/__init__.py"


def test_a_source_that_does_not_compile_is_named(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match=r"opt/kubevc/serve/__init__\.py"):
        program.layer("serve", checkout(tmp_path, "def broken(:\n"))


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_package_that_a_program_imports_is_in_its_image(name: str, root: Path) -> None:
    locked = {re.split(r"[=\s;]", line)[0] for line in wheels.locked(name)}
    known = metadata.packages_distributions()
    missing = {
        module
        for path in [*(root / name).rglob("*.py"), *(root / "protos").glob("*.py")]
        if path.name != "build.py"
        for module in imported(path) - {name, "protos", *sys.stdlib_module_names, *OPTIONAL[name]}
        if not locked & {re.sub(r"[-_.]+", "-", owner).lower() for owner in known.get(module, [])}
    }
    assert not missing


# The reference runtime of the model server is not in its image.
OPTIONAL = {"proxy": set[str](), "modelserver": {"tensorflow"}}


def imported(path: Path) -> set[str]:
    """Return the top-level packages that a source imports."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    absolute = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}
    return {module.split(".")[0] for module in plain | absolute}


def test_the_locked_packages_carry_their_hashes() -> None:
    for line in wheels.locked("proxy"):
        assert re.match(r"[\w.-]+==[\w.]+.* --hash=sha256:[0-9a-f]{64}", line)


def test_what_a_server_never_loads_is_removed(tmp_path: Path) -> None:
    kept = ("numpy/__init__.py", "numpy/_core/tests.py", "openvino/libs/libopenvino_intel_cpu_plugin.so")
    removed = ("numpy/_core/tests/test_a.py", "numpy/__init__.pyi", "openvino/libs/libopenvino_intel_gpu_plugin.so")
    for name in (*kept, *removed):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    wheels.trim(tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(kept)


def write_wheel(folder: Path) -> str:
    """Write a small wheel and return its SHA-256."""
    path = folder / "little-1.0-py3-none-any.whl"
    files = {
        "little.py": "",
        "little-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: little\nVersion: 1.0\n",
        "little-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={digest(text)},{len(text)}\n" for name, text in files.items())
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {**files, "little-1.0.dist-info/RECORD": record}.items():
            wheel.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def only_local_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if not shutil.which("uv"):
        pytest.skip("uv is not on PATH")
    (tmp_path / "uv.toml").write_text(f'no-index = true\nfind-links = ["{tmp_path}"]\n')
    monkeypatch.setenv("UV_CONFIG_FILE", str(tmp_path / "uv.toml"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    return tmp_path


def test_a_locked_wheel_is_installed(only_local_wheels: Path) -> None:
    sha256 = write_wheel(only_local_wheels)
    layer = wheels.layer("little", [f"little==1.0 --hash=sha256:{sha256}"], "amd64")
    site = "usr/local/lib/python3.11/dist-packages"
    assert names(layer) == {
        f"{site}/little.py",
        *(f"{site}/little-1.0.dist-info/{name}" for name in ("METADATA", "WHEEL")),
    }


def test_a_wheel_with_another_hash_is_refused(only_local_wheels: Path, cache_folder: Path) -> None:
    write_wheel(only_local_wheels)
    with pytest.raises(WheelError, match=r"images hold exactly the packages of uv\.lock"):
        wheels.layer("little", [f"little==1.0 --hash=sha256:{'0' * 64}"], "amd64")
    assert not list((cache_folder / "layers").iterdir())
