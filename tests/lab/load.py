"""Senders that ask an endpoint all the time while a test changes the site, and note every answer."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx


@dataclass
class Load:
    """Hold what the senders were answered: each status, or the error of the connection, with its count."""

    answers: Counter[str] = field(default_factory=Counter)
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def failed(self) -> dict[str, int]:
        """Return all that was no 200."""
        return {answer: count for answer, count in self.answers.items() if answer != "200"}


@contextmanager
def load(url: str, picture: bytes, senders: int = 3, at_most_seconds: float = 300) -> Iterator[Load]:
    """Send a JPEG again and again while the block runs."""
    running = Load()
    until = time.monotonic() + at_most_seconds

    def send() -> None:
        with httpx.Client(timeout=30, trust_env=False) as client:
            while not running.ending.is_set() and time.monotonic() < until:
                try:
                    response = client.post(url, content=picture, headers={"content-type": "image/jpeg"})
                    running.answers[str(response.status_code)] += 1
                except httpx.HTTPError as error:
                    running.answers[repr(error)] += 1
                time.sleep(0.05)

    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        running.ending.set()
        for thread in threads:
            thread.join(timeout=60)
