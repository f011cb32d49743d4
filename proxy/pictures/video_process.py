"""The process that decodes one video, on its own: what breaks a decoder then breaks this process alone.

    python -P video_process.py REQUEST < FILE

REQUEST is JSON: `kind`, `channels`, `frames_per_second` or `frame_count`, `max_pixels`, `max_frames`, `memory_bytes`,
`threads`. The file is a video that can be sought in. Answers are records on standard output: a header of `RECORD` and,
for a frame, its pixels. It imports nothing of the proxy, for the sake of its start, and opens no file and no
connection once it has begun.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any

RECORD = struct.Struct("<4sqdII")
"""Kind of the record, number of the frame, its time in seconds, width, height."""
FRAME, END, UNREADABLE, TOO_LARGE, TOO_MANY = b"FRAM", b"DONE", b"UNRD", b"SIZE", b"MANY"

_OPEN_FILES = 3
# A rate that was rounded must not make the next frame wait for one more.
_TOLERANCE_SECONDS = 0.001


def main() -> None:
    """Decode the video on standard input as the request says."""
    request = json.loads(sys.argv[1])
    # The demuxers that may be tried at all, whatever the bytes look like to ffmpeg.
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = f"format_whitelist;{request['kind']}|protocol_whitelist;none"
    os.environ["OPENCV_LOG_LEVEL"] = "SILENT"
    import cv2

    resource.setrlimit(resource.RLIMIT_AS, (request["memory_bytes"], request["memory_bytes"]))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _decode(cv2, request)
    sys.stdout.flush()
    os._exit(0)  # OpenCV's destructors would give the stream back without Python's lock.


def _decode(cv2: Any, request: dict[str, Any]) -> None:
    capture = _open(cv2, request)
    width, height = (int(capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    if not capture.isOpened() or width <= 0 or height <= 0:
        return _write(UNREADABLE)
    if width * height > request["max_pixels"]:
        return _write(TOO_LARGE, width=width, height=height)
    rate = capture.get(cv2.CAP_PROP_FPS)
    total = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted: Callable[[int, float], bool]
    if request["frame_count"] is not None:
        if not 0 < total < 1 << 31:
            total = _count(_open(cv2, request))
            capture = _open(cv2, request)
        wanted = _evenly(request["frame_count"], total)
    else:
        wanted = _at_rate(request["frames_per_second"])
        if rate > 0 and total / rate * request["frames_per_second"] > request["max_frames"] + 1:
            return _write(TOO_MANY, number=int(total / rate * request["frames_per_second"]))
    return _send(cv2, capture, wanted, request)


def _open(cv2: Any, request: dict[str, Any]) -> Any:
    sys.stdin.buffer.seek(0)
    return cv2.VideoCapture(sys.stdin.buffer, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, request["threads"]])


def _send(cv2: Any, capture: Any, wanted: Callable[[int, float], bool], request: dict[str, Any]) -> None:
    """Write the wanted frames; the others are decoded, for later ones build on them, but not converted to colours."""
    sent = 0
    for number, seconds in _grabbed(cv2, capture):
        if sent == request["frame_count"]:
            break
        if not wanted(number, seconds):
            continue
        there, pixels = capture.retrieve()
        if not there:
            continue
        height, width = pixels.shape[:2]
        if width * height > request["max_pixels"]:
            return _write(TOO_LARGE, width=width, height=height)
        if sent == request["max_frames"]:
            return _write(TOO_MANY, number=sent)
        if request["channels"] == "RGB":
            cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels)
        _write(FRAME, number, seconds, width, height)
        sys.stdout.buffer.write(memoryview(pixels).cast("B"))
        sent += 1
    return _write(END if sent else UNREADABLE)


def _grabbed(cv2: Any, capture: Any) -> Iterator[tuple[int, float]]:
    """Yield number and time of each frame, decoded but not yet converted."""
    rate, number = capture.get(cv2.CAP_PROP_FPS), 0
    while capture.grab():
        seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        # Some files do not say when a frame is due.
        yield number, seconds if seconds > 0 else number / rate if rate > 0 else 0.0
        number += 1


def _count(capture: Any) -> int:
    count = 0
    while capture.grab():
        count += 1
    return count


def _evenly(count: int, total: int) -> Callable[[int, float], bool]:
    """Return a choice of `count` frames of `total`, each in the middle of its part of the video."""
    numbers = {(2 * part + 1) * total // (2 * count) for part in range(min(count, total))} if count < total else None

    def wanted(number: int, seconds: float) -> bool:
        del seconds
        return numbers is None or number in numbers

    return wanted


def _at_rate(rate: float) -> Callable[[int, float], bool]:
    """Return a choice of the first frame at or after each multiple of `1 / rate`."""
    due = 0.0

    def wanted(number: int, seconds: float) -> bool:
        nonlocal due
        del number
        if seconds + _TOLERANCE_SECONDS < due:
            return False
        due = (int((seconds + _TOLERANCE_SECONDS) * rate) + 1) / rate
        return True

    return wanted


def _write(kind: bytes, number: int = 0, seconds: float = 0.0, width: int = 0, height: int = 0) -> None:
    sys.stdout.buffer.write(RECORD.pack(kind, number, seconds, width, height))


if __name__ == "__main__":
    main()
