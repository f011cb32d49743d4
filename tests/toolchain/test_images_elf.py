"""Shared libraries in images: read, cut and replaced, and the proxy's packages still at work."""

import ctypes
import re
import shutil
import signal
import struct
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.proxy.pictures import photo
from tests.proxy.test_video import video
from toolchain.images import bytecode, elf, stand_in, wheels

SITE = Path(np.__file__).parents[1]
UVLOOP = next(SITE.glob("uvloop/loop*.so"))
QUADMATH = next(SITE.glob("numpy.libs/libquadmath*"))
OPENCV_BLAS = next(SITE.glob("opencv_python_headless.libs/libopenblas*"))


def load(path: Path, function: str) -> subprocess.CompletedProcess[str]:
    """Load a library in another process and call a function of it."""
    code = f"import ctypes; library = ctypes.CDLL({str(path)!r}); print('loaded', flush=True); library.{function}()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_names_and_symbols_are_read() -> None:
    library = elf.read_library(QUADMATH.read_bytes())
    assert library.name == QUADMATH.name
    assert {"libm.so.6", "libc.so.6"} <= set(library.needed)
    assert "sinq" in library.defined
    assert "malloc" in library.undefined
    assert not library.defined & library.undefined
    assert library.versioned


def test_a_cut_library_has_all_its_symbols_and_none_for_debuggers(tmp_path: Path) -> None:
    whole = UVLOOP.read_bytes()
    cut = elf.without_symbols_for_debuggers(whole)
    assert len(cut) < len(whole) / 2
    assert b".debug_info" not in cut
    assert elf.read_library(cut) == elf.read_library(whole)
    shutil.copytree(UVLOOP.parent, tmp_path / "uvloop")
    (tmp_path / "uvloop" / UVLOOP.name).write_bytes(cut)
    code = "import uvloop\nasync def where():\n    return uvloop.__file__\nprint(uvloop.run(where()))"
    environment = {"PYTHONPATH": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith(str(tmp_path))


def test_cutting_again_changes_nothing() -> None:
    cut = elf.without_symbols_for_debuggers(UVLOOP.read_bytes())
    assert elf.without_symbols_for_debuggers(cut) == cut


def test_a_library_with_a_loaded_section_behind_its_end_is_left_alone() -> None:
    data = bytearray(UVLOOP.read_bytes())
    sections, size, count = (*struct.unpack_from("<Q", data, 40), *struct.unpack_from("<HH", data, 58))
    last = sections + (count - 1) * size
    struct.pack_into("<Q", data, last + 8, 2)  # Its flags: allocated.
    assert elf.without_symbols_for_debuggers(bytes(data)) == bytes(data)


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\x01\x01\x01" + b"\0" * 100, b"INPUT(libc.so.6)" * 10])
def test_other_files_are_no_libraries(data: bytes) -> None:
    assert not elf.is_library(data)


def test_a_stand_in_is_loaded_under_the_same_name_and_ends_who_calls_it(tmp_path: Path) -> None:
    functions = ["dgesv_", "cblas_sgemm", *(f"function_{number}" for number in range(500))]
    path = tmp_path / OPENCV_BLAS.name
    path.write_bytes(stand_in.make(OPENCV_BLAS.read_bytes(), functions))
    library = elf.read_library(path.read_bytes())
    assert (library.name, library.defined) == (OPENCV_BLAS.name, frozenset(functions))
    assert path.stat().st_size < 50_000
    loaded = ctypes.CDLL(str(path))
    assert all(getattr(loaded, name) for name in functions)
    assert not hasattr(loaded, "another")
    ran = load(path, "dgesv_")
    assert (ran.stdout, ran.returncode) == ("loaded\n", -signal.SIGILL)


def test_a_stand_in_is_for_the_architecture_of_what_it_replaces() -> None:
    foreign = bytearray(OPENCV_BLAS.read_bytes())
    struct.pack_into("<H", foreign, 18, 183)  # AArch64
    made = stand_in.make(bytes(foreign), ["dgesv_"])
    assert struct.unpack_from("<H", made, 18) == (183,)
    assert elf.read_library(made).defined == {"dgesv_"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the proxy's locked packages, as they are installed here, trimmed as in the image."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" != bytecode.VERSION:
        pytest.skip("another Python than the image's runs here")
    folder = tmp_path_factory.mktemp("image") / "site"
    # A line with a condition that this platform does not meet names a package that is nowhere.
    locked = {line.partition("==")[0] for line in wheels.locked("proxy")}
    for package in (package for package in metadata.distributions() if normal(package.name) in locked):
        for file in package.files or ():
            source, target = Path(file.locate()), folder / file
            if ".." not in file.parts and source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    wheels.trim(folder)
    return folder


def normal(name: str) -> str:
    """Return a package's name as the lock file has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


PROGRAM = """
import io, sys
from importlib import import_module
from pathlib import Path

folder, picture, video = sys.argv[1:]
for name in sys.stdin.read().split():
    assert import_module(name).__file__.startswith(folder), name

import cv2, numpy as np
from proxy.deadline import Deadline
from proxy.decoders.results import Detections
from proxy.pictures.annotate import annotate
from proxy.pictures.decoding import decode_picture
from proxy.pictures.header import read_header
from proxy.pictures.preprocess import prepare_picture
from proxy.pictures.picture_input import PictureInput
from proxy.pictures.video import Sampling, VideoLimits, read_frames

png = Path(picture).read_bytes()
pixels = decode_picture(png, read_header(png), "BGR")
found = Detections(boxes=np.float32([[10, 10, 90, 90]]), scores=np.float32([1]), classes=np.array([0]))
for ending in (".jpg", ".png", ".webp"):
    data = cv2.imencode(ending, pixels)[1].tobytes()
    header = read_header(data)
    for media_type in ("image/png", "image/jpeg"):
        assert len(annotate(data, header, found, ("cat",), media_type)) > 1000
    for resize in ("stretch", "letterbox", "center-crop"):
        for interpolation in ("nearest", "bilinear", "bicubic", "area"):
            spec = PictureInput(
                tensor="x", width_pixels=96, height_pixels=64, resize=resize, interpolation=interpolation, layout="NCHW"
            )
            prepare_picture(decode_picture(data, header, "RGB"), spec, np.dtype("f4"))
limits = VideoLimits(max_pixels=10**6, max_frames=100)
frames = list(read_frames(Path(video).read_bytes(), Sampling(frame_count=3), limits, "RGB", Deadline.after(60)))
assert len(frames) == 3
assert (np.ones((3, 4), "f4") @ np.ones((4, 2), "f4")).tolist() == [[4, 4]] * 3
print("done")
"""
MODULES = """
cryptography.hazmat.bindings._rust cv2 google.protobuf grpc httptools httpx jwt numpy.linalg opentelemetry.sdk.trace
orjson prometheus_client pydantic python_multipart simdjson simplejpeg starlette tokenizers uvicorn uvloop
websockets yaml
"""


@pytest.mark.parametrize("ending", ["mp4", "webm"])
def test_the_trimmed_packages_do_all_that_the_proxy_asks_of_them(
    site: Path, root: Path, tmp_path: Path, ending: str
) -> None:
    (tmp_path / "picture.png").write_bytes(photo("chelsea.png"))
    (tmp_path / "video").write_bytes(video(ending, "mp4v" if ending == "mp4" else "VP80"))
    ran = subprocess.run(
        # -S: none of the packages that are installed here.
        [sys.executable, "-S", "-P", "-c", PROGRAM, str(site), str(tmp_path / "picture.png"), str(tmp_path / "video")],
        input=MODULES,
        env={"PYTHONPATH": f"{site}:{root}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert (ran.stdout, ran.returncode) == ("done\n", 0), ran.stderr


def test_trimmed_packages_take_less_room(site: Path) -> None:
    opencv = site / "opencv_python_headless.libs"
    assert next(opencv.glob("libopenblas*")).stat().st_size < 5000
    assert not list(opencv.glob("libgfortran*"))
    assert next(site.glob("numpy.libs/libscipy_openblas*")).stat().st_size > 10_000_000
    assert (site / "cv2" / Path(cv2.__file__).name).exists()
