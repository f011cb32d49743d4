"""What a running command prints: each stream, both in the order of arrival, and line by line for the log."""

import codecs
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Stream = Literal["stdout", "stderr"]
LineLog = Callable[[str], Awaitable[None]]

_LOGGED: dict[str, tuple[Stream, ...]] = {
    "stdout": ("stdout",),
    "stderr": ("stderr",),
    "stdoutAndStderr": ("stdout", "stderr"),
    "none": (),
}
_CHUNK_BYTES = 1 << 16


class Reader(Protocol):
    """What both asyncio and asyncssh give for a stream of bytes."""

    async def read(self, n: int = -1) -> bytes: ...


@dataclass(frozen=True)
class Printed:
    """What a command printed, each stream without its last newline."""

    stdout: str
    stderr: str


class Transcript:
    """Collect two streams while they come.

    Args:
        log: Is given each whole line.
        logging: Which streams to log: `stdout`, `stderr`, `stdoutAndStderr` or `none`.
    """

    def __init__(self, log: LineLog, logging: str = "stdoutAndStderr") -> None:
        self._log, self._logged = log, _LOGGED[logging]
        self._parts: dict[Stream, list[str]] = {"stdout": [], "stderr": []}
        self._both: list[str] = []

    @property
    def both(self) -> str:
        """All that was printed, in the order of arrival."""
        return "".join(self._both)

    @property
    def printed(self) -> Printed:
        """The two streams, each without its last newline."""
        return Printed(*("".join(self._parts[name]).removesuffix("\n") for name in ("stdout", "stderr")))

    async def follow(self, name: Stream, reader: Reader) -> None:
        """Read a stream to its end."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        line = ""
        while chunk := await reader.read(_CHUNK_BYTES):
            line = await self._take(name, line, decoder.decode(chunk))
        line = await self._take(name, line, decoder.decode(b"", final=True))
        if line and name in self._logged:
            await self._log(line)

    async def _take(self, name: Stream, begun: str, text: str) -> str:
        """Keep `text`, log the lines that it completes and return the line that it begins."""
        self._parts[name].append(text)
        self._both.append(text)
        *lines, rest = (begun + text).split("\n")
        if name in self._logged:
            for line in lines:
                await self._log(line)
        return rest
