"""Video: some frames of a file, one after the other, as pixels with their times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from proxy.deadline import Deadline
from proxy.errors import InvalidVideo, PictureTooLarge
from proxy.pictures import video_process
from proxy.pictures.decoding import Channels
from proxy.pictures.video_container import WHERE, Kind, recognise
from proxy.pictures.video_process import END, FRAME, RECORD, TOO_LARGE, TOO_MANY

_PROGRAM = str(Path(video_process.__file__))
_MOST_THREADS = 4
# Python with OpenCV and its threads reserve 0.7 GB of addresses before the first frame, and use a tenth of them.
_RESERVED_BYTES = 1_000_000_000
# A decoder keeps up to 16 frames of 1.5 bytes a pixel, and some more for its threads.
_DECODING_BYTES_PER_PIXEL = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Say which frames are wanted: so many a second, or so many in all, evenly spread. One of the two is set."""

    frames_per_second: float | None = None
    frame_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoLimits:
    """Bound what one video may take."""

    max_pixels: int
    """Of one frame."""
    max_frames: int
    """Of those that are wanted, not of the whole video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFrame:
    """Hold one frame."""

    number: int
    """Counted from 0 over all frames of the video."""
    seconds: float
    """From the beginning of the video."""
    pixels: NDArray[np.uint8]
    """uint8 [height, width, 3], turned upright as the video says."""


def read_frames(
    data: bytes, sampling: Sampling, limits: VideoLimits, channels: Channels, deadline: Deadline
) -> Generator[VideoFrame]:
    """Yield the wanted frames of a video file (MP4, QuickTime, WebM, Matroska or AVI).

    They are decoded in a process of their own, one ahead of the reader, which ends when the generator is closed. That
    process can open no file and no connection, and its memory is limited.

    Raises:
        InvalidVideo: It is no such file, is damaged or cut off, or has more wanted frames than allowed.
        PictureTooLarge: Its frames have more than `max_pixels`.
        DeadlineExceeded: It is not decoded in time.
    """
    kind = recognise(data)
    with _decoder(data, _request(kind, sampling, limits, channels), deadline) as (output, late):
        frames = 0
        while True:
            record = output.read(RECORD.size)
            if late.is_set():
                raise deadline.exceeded("video being decoded")
            if len(record) < RECORD.size:
                raise _unreadable(data, frames)
            name, number, seconds, width, height = RECORD.unpack(record)
            if name == END:
                return
            if name != FRAME:
                raise _refusal(name, data, number, width, height, limits)
            pixels = _read_pixels(output, width, height)
            if pixels is None:
                raise deadline.exceeded("video being decoded") if late.is_set() else _unreadable(data, frames)
            frames += 1
            yield VideoFrame(number=number, seconds=seconds, pixels=pixels)


def _request(kind: Kind, sampling: Sampling, limits: VideoLimits, channels: Channels) -> str:
    return json.dumps(
        {
            "kind": kind,
            "channels": channels,
            "frames_per_second": sampling.frames_per_second,
            "frame_count": sampling.frame_count,
            "max_pixels": limits.max_pixels,
            "max_frames": limits.max_frames,
            "memory_bytes": _RESERVED_BYTES + _DECODING_BYTES_PER_PIXEL * limits.max_pixels,
            "threads": min(_MOST_THREADS, os.cpu_count() or 1),
        }
    )


@contextmanager
def _decoder(data: bytes, request: str, deadline: Deadline) -> Generator[tuple[BufferedReader, threading.Event]]:
    """Run the decoding process; it is ended, at the latest, at the deadline, and the event then says so."""
    late = threading.Event()
    with _memory_file(data) as file:
        process = subprocess.Popen(
            [sys.executable, "-P", _PROGRAM, request],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # ffmpeg's own words about a damaged file; the error says enough.
            env=_environment(),
        )

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(deadline.remaining, end)
    timer.start()
    try:
        with cast(BufferedReader, process.stdout) as output:
            yield output, late
    finally:
        timer.cancel()
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    """Return what the process must know: where libraries lie; nothing else of this process's environment."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    modules = os.pathsep.join(filter(None, sys.path))
    return {**kept, "PYTHONPATH": modules, "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}


@contextmanager
def _memory_file(data: bytes) -> Generator[BinaryIO]:
    """Hold the data in a file without a name or a disk; whoever inherited it keeps it."""
    with os.fdopen(os.memfd_create("video"), "w+b") as file:
        file.write(data)
        file.seek(0)
        yield file


def _read_pixels(output: BufferedReader, width: int, height: int) -> NDArray[np.uint8] | None:
    """Read a frame, or return None where it ends early."""
    pixels = np.empty((height, width, 3), np.uint8)
    return pixels if output.readinto(pixels.data.cast("B")) == pixels.nbytes else None


def _refusal(
    name: bytes, data: bytes, number: int, width: int, height: int, limits: VideoLimits
) -> InvalidVideo | PictureTooLarge:
    if name == TOO_LARGE:
        return PictureTooLarge(
            where=WHERE,
            found=f"frames of {width} x {height} pixels",
            reason=f"The limit is {limits.max_pixels} pixels (limits > max-pixels)",
            remedy="Send a smaller copy; models look at a few hundred pixels a side",
        )
    if name == TOO_MANY:
        return InvalidVideo(
            where=WHERE,
            found=f"{number} frames or more at this rate",
            reason=f"The limit is {limits.max_frames} frames",
            remedy="Ask for fewer frames a second, or for a number of frames (frames_per_second, frame_count)",
        )
    return _unreadable(data, 0)


def _unreadable(data: bytes, frames: int) -> InvalidVideo:
    return InvalidVideo(
        where=WHERE,
        found=f"{len(data)} bytes of which {f'{frames} frames' if frames else 'no frame'} could be decoded",
        reason="The file is damaged, or its coding is not known here",
        remedy="Check that it plays, and convert it to MP4 with H.264 if it does",
    )
