"""Requests with many pictures: a form with several files, or a video."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from functools import partial

from starlette.requests import Request

from proxy.config import Limits
from proxy.deadline import HEADER as TIMEOUT_HEADER
from proxy.deadline import Deadline, requested_seconds
from proxy.departure import unless_client_leaves
from proxy.inputs.upload import read_uploads
from proxy.limits import InFlight, Streams
from proxy.outputs.answer import Answer
from proxy.pictures.video import Sampling, VideoLimits, read_frames
from proxy.pipeline import Pipeline, Wish
from proxy.routes.answering import StreamedAnswer
from proxy.routes.bodies import in_time, receive_body
from proxy.routes.series import SeriesAnswers
from proxy.series import Item
from proxy.tasks.content import Content
from proxy.tasks.npy import MAGIC, prepare_npy_files
from proxy.tasks.options import Options
from proxy.tasks.picture import prepare_frame_task, prepare_picture_task
from proxy.telemetry.exchange import Exchange

_USUAL_FRAMES_PER_SECOND = 1.0


class PictureSeries:
    """Answer such requests; each picture takes a place among the requests in flight while it is looked at."""

    def __init__(self, limits: Limits, in_flight: InFlight, streams: Streams) -> None:
        self._limits = limits
        self._in_flight = in_flight
        self._streams = streams

    async def answer(
        self, request: Request, pipeline: Pipeline, content: Content, wish: Wish, exchange: Exchange
    ) -> Answer | StreamedAnswer:
        """Answer all pictures of a body."""
        if content.is_video:
            longest = self._limits.video_seconds
            exchange.deadline = Deadline.after(requested_seconds(request.headers.get(TIMEOUT_HEADER), longest))
            return await self._video(request, pipeline, content, wish, exchange)
        async with self._in_flight.place(exchange.deadline):
            body = await receive_body(request, content, self._limits.max_body_bytes, exchange)
        items = await self._items(content, body, exchange)
        if len(items) == 1 and not wish.media.streams:
            return await unless_client_leaves(request, in_time(self._one(pipeline, items[0], wish, exchange), exchange))
        answers = SeriesAnswers(pipeline, wish, exchange, self._in_flight).answer("pictures", _each(items))
        return await unless_client_leaves(request, in_time(answers, exchange))

    async def _one(self, pipeline: Pipeline, item: Item, wish: Wish, exchange: Exchange) -> Answer:
        async with self._in_flight.place(exchange.deadline):
            return await pipeline.predict(item.task, wish, exchange)

    async def _items(self, content: Content, body: bytes, exchange: Exchange) -> list[Item]:
        """Return the pictures of a form, the tensors that are one request together, or the body as a whole."""
        if content.boundary is None:
            return [Item(note={}, task=partial(content.task(), body))]
        with exchange.stages.time("decode"):
            uploads = await asyncio.to_thread(read_uploads, body, content.boundary, self._limits.max_parts)
        if all(upload.data.startswith(MAGIC) for upload in uploads):
            files = {upload.name: upload.data for upload in uploads}
            return [Item(note={}, task=partial(prepare_npy_files, files))]
        several = len(uploads) > 1
        return [
            Item(
                note={"part": upload.name, "file": upload.file_name},
                task=partial(prepare_picture_task, upload.data),
                place=f"part {number}" if several else "",
            )
            for number, upload in enumerate(uploads, 1)
        ]

    async def _video(
        self, request: Request, pipeline: Pipeline, content: Content, wish: Wish, exchange: Exchange
    ) -> Answer | StreamedAnswer:
        with self._streams.open() as stream:
            body = await receive_body(request, content, self._limits.max_video_bytes, exchange)
            limits = VideoLimits(max_pixels=self._limits.max_frame_pixels, max_frames=self._limits.max_video_frames)
            frames = _frames(body, _sampling(wish.options), limits, exchange.deadline)
            answers = SeriesAnswers(pipeline, wish, exchange, self._in_flight).answer("frames", frames)
            answer = await unless_client_leaves(request, in_time(answers, exchange))
            if isinstance(answer, StreamedAnswer):
                # The stream stays open until its last piece is sent.
                stream.keep_until(answer.ended)
            return answer


async def _each(items: Sequence[Item]) -> AsyncGenerator[Item]:
    for item in items:
        yield item


def _sampling(options: Options) -> Sampling:
    if options.frame_count is not None:
        return Sampling(frame_count=options.frame_count)
    return Sampling(frames_per_second=options.frames_per_second or _USUAL_FRAMES_PER_SECOND)


async def _frames(body: bytes, sampling: Sampling, limits: VideoLimits, deadline: Deadline) -> AsyncGenerator[Item]:
    """Yield the wanted frames of a video; each is read on a thread."""
    frames = read_frames(body, sampling, limits, "RGB", deadline)
    reading = asyncio.ensure_future(asyncio.to_thread(next, frames, None))
    try:
        while (frame := await asyncio.shield(reading)) is not None:
            yield Item(
                note={"frame": frame.number, "seconds": round(frame.seconds, 3)},
                task=partial(prepare_frame_task, frame.pixels),
                place=f"frame {frame.number}",
            )
            reading = asyncio.ensure_future(asyncio.to_thread(next, frames, None))
    finally:
        # A generator cannot be closed while a thread is in it.
        await asyncio.wait({reading})
        await asyncio.to_thread(frames.close)
