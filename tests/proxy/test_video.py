"""Video: which frames come, when, which way up, and what is refused; the videos are made here, a number a frame."""

from __future__ import annotations

import functools
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pytest

from proxy.deadline import Deadline
from proxy.errors import DeadlineExceeded, InvalidVideo, PictureTooLarge, ProxyError
from proxy.pictures.video import Sampling, VideoFrame, VideoLimits, read_frames
from tests.proxy.pictures import photo

WIDTH, HEIGHT = 192, 112
CODINGS = [("mp4", "mp4v"), ("mov", "mp4v"), ("webm", "VP80"), ("mkv", "VP80"), ("avi", "XVID"), ("avi", "MJPG")]
LIMITS = VideoLimits(max_pixels=1_000_000, max_frames=200)


@functools.cache
def video(ending: str = "mp4", coding: str = "mp4v", frames: int = 60, rate: float = 10) -> bytes:
    """Return a video whose frame n has the brightness 4 n on the left and is blue on the right, dark blue below."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"video.{ending}"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*coding), rate, (WIDTH, HEIGHT))
        assert writer.isOpened()
        for number in range(frames):
            pixels = np.full((HEIGHT, WIDTH, 3), 4 * number, np.uint8)
            pixels[:, WIDTH // 2 :] = (255, 0, 0)
            pixels[HEIGHT // 2 :, WIDTH // 2 :] = (120, 0, 0)
            writer.write(pixels)
        writer.release()
        return path.read_bytes()


def read(data: bytes, limits: VideoLimits = LIMITS, seconds: float = 60, **sampling: float) -> list[VideoFrame]:
    """Read the wanted frames as RGB."""
    return list(read_frames(data, Sampling(**sampling), limits, "RGB", Deadline.after(seconds)))


def shown(frame: VideoFrame) -> float:
    """Return the number that a frame shows."""
    return frame.pixels[:, : WIDTH // 2 - 16].mean() / 4


@pytest.mark.parametrize(("ending", "coding"), CODINGS)
def test_frames_come_at_a_rate_with_their_times(ending: str, coding: str) -> None:
    frames = read(video(ending, coding), frames_per_second=2)
    assert [frame.number for frame in frames] == list(range(0, 60, 5))
    assert [frame.seconds for frame in frames] == pytest.approx(np.arange(0, 6, 0.5).tolist(), abs=0.01)
    assert [shown(frame) for frame in frames] == pytest.approx(list(range(0, 60, 5)), abs=1.5)
    assert {frame.pixels.shape for frame in frames} == {(HEIGHT, WIDTH, 3)}


@pytest.mark.parametrize(("ending", "coding"), CODINGS)
def test_a_number_of_frames_is_spread_evenly(ending: str, coding: str) -> None:
    frames = read(video(ending, coding), frame_count=4)
    assert [frame.number for frame in frames] == [7, 22, 37, 52]
    assert [shown(frame) for frame in frames] == pytest.approx([7, 22, 37, 52], abs=1.5)


@pytest.mark.parametrize(
    ("sampling", "numbers"),
    [
        ({"frames_per_second": 0.1}, [0]),
        ({"frames_per_second": 3}, [0, 4, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40, 44, 47, 50, 54, 57]),
        ({"frames_per_second": 10}, list(range(60))),
        ({"frames_per_second": 25}, list(range(60))),
        ({"frame_count": 1}, [30]),
        ({"frame_count": 60}, list(range(60))),
        ({"frame_count": 100}, list(range(60))),
    ],
)
def test_no_frame_comes_twice_and_none_is_made_up(sampling: dict[str, float], numbers: list[int]) -> None:
    assert [frame.number for frame in read(video(), **sampling)] == numbers


def test_a_video_that_does_not_say_its_length_is_counted() -> None:
    data = video("webm", "VP80")
    position = data.index(b"\x44\x89\x88") + 3  # The element Duration, a float of 8 bytes.
    endless = data[:position] + struct.pack(">d", 0.0) + data[position + 8 :]
    assert [frame.number for frame in read(endless, frame_count=4)] == [7, 22, 37, 52]


def test_channels_come_in_the_order_asked_for() -> None:
    for order, blue in (("RGB", 2), ("BGR", 0)):
        frame = next(read_frames(video(), Sampling(frame_count=1), LIMITS, order, Deadline.after(60)))
        assert frame.pixels[10, -10].argmax() == blue


@pytest.mark.parametrize(
    ("matrix", "dark"),
    [((0, 1, -1, 0), (-10, 10)), ((-1, 0, 0, -1), (10, 10)), ((0, -1, 1, 0), (10, -10)), ((1, 0, 0, 1), (-10, -10))],
    ids=["90", "180", "270", "0"],
)
def test_a_turned_video_comes_upright(matrix: tuple[int, int, int, int], dark: tuple[int, int]) -> None:
    data = video()
    a, b, c, d = (number * 0x1_0000 for number in matrix)
    position = data.index(b"tkhd") + 44
    turned = data[:position] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + data[position + 36 :]
    pixels = read(turned, frame_count=1)[0].pixels
    assert pixels.shape[:2] == ((WIDTH, HEIGHT) if matrix[0] == 0 else (HEIGHT, WIDTH))
    assert abs(int(pixels[dark][2]) - 120) < 30
    assert pixels[dark][0] < 60


@pytest.mark.parametrize(("ending", "coding"), CODINGS)
def test_a_video_without_its_end_is_refused_before_it_is_decoded(ending: str, coding: str) -> None:
    data = video(ending, coding)
    with pytest.raises(InvalidVideo, match="Its end is missing"):
        read(data[: len(data) // 2], frame_count=1)


def test_what_is_no_video_is_refused() -> None:
    with pytest.raises(InvalidVideo) as refusal:
        read(b"Hello", frame_count=1)
    assert str(refusal.value) == (
        "video in the request body: 5 bytes that begin like no MP4, QuickTime, WebM, Matroska or AVI file. "
        "The proxy reads these kinds of video. Convert it to one of them, such as MP4 with H.264."
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        photo("coffee.png"),
        b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"v=0\r\nm=video 9 RTP/AVP 96\r\n",
        b"<?xml version='1.0'?><MPD></MPD>",
        b"\x00\x00\x01\xba" + b"\x00" * 100,
        b"\xff\xd8\xff" * 100,
    ],
    ids=["nothing", "picture", "hls", "concat", "sdp", "dash", "mpeg-ps", "mjpeg"],
)
def test_only_files_that_hold_their_frames_are_opened(data: bytes) -> None:
    with pytest.raises(InvalidVideo, match="begin like no MP4"):
        read(data, frame_count=1)


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom",
        b"\x00\x00\x00\x08free" * 100,
        b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x80",
        b"\x1a\x45\xdf\xa3",
        b"RIFF\x04\x00\x00\x00AVI ",
        b"\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom\x00\x00\x00\x00" + b"#EXTM3U\n/etc/passwd\n" * 10,
    ],
)
def test_a_video_without_frames_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidVideo, match=f"{len(data)} bytes of which no frame could be decoded"):
        read(data, frame_count=1)


def test_too_large_frames_are_refused() -> None:
    with pytest.raises(PictureTooLarge) as refusal:
        read(video(), VideoLimits(max_pixels=WIDTH * HEIGHT - 1, max_frames=10), frame_count=1)
    assert refusal.value.found == "frames of 192 x 112 pixels"


@pytest.mark.parametrize(("ending", "coding"), [("mp4", "mp4v"), ("webm", "VP80")])
def test_too_many_frames_are_refused_before_the_first(ending: str, coding: str) -> None:
    with pytest.raises(InvalidVideo, match="60 frames or more at this rate"):
        read(video(ending, coding), VideoLimits(max_pixels=1_000_000, max_frames=50), frames_per_second=10)


def test_a_video_that_is_not_decoded_in_time_is_ended() -> None:
    with pytest.raises(DeadlineExceeded, match="video being decoded"):
        read(video(), seconds=0.01, frame_count=60)


def decoders() -> Iterator[str]:
    """Yield the decoding processes of this one."""
    for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        if b"video_process" in Path(f"/proc/{child}/cmdline").read_bytes():
            yield child


def test_a_reader_that_leaves_ends_the_process() -> None:
    frames = read_frames(video(), Sampling(frames_per_second=10), LIMITS, "RGB", Deadline.after(60))
    next(frames)
    assert len(list(decoders())) == 1
    frames.close()
    assert not list(decoders())


@pytest.mark.parametrize(("ending", "coding"), [("mp4", "mp4v"), ("webm", "VP80"), ("avi", "MJPG")])
def test_damaged_videos_never_end_in_another_error(ending: str, coding: str) -> None:
    random = np.random.default_rng(1)
    whole = video(ending, coding)
    for _ in range(4):
        data = bytearray(whole)
        for position in random.integers(0, len(data), 40):
            data[position] = random.integers(256)
        try:
            frames = read(bytes(data), frames_per_second=2)
        except ProxyError as error:
            assert error.status in (400, 413)
            continue
        assert frames[0].pixels.shape[2] == 3
