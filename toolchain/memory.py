"""Remember where a piece came from, so that the next run neither asks the network nor looks around again.

<cache>/toolchain/sources.json    {"pulumi 3.259.0 amd64": "built", "plugin command 1.2.1 amd64": "stand-in"}
"""

import json
from pathlib import Path
from typing import Literal, cast

from toolchain import cache
from toolchain.lock import exclusive

Source = Literal["path", "official", "built", "stand-in"]
"""`path`: the user's own; `official`: upstream's download; `built`: from pinned modules; `stand-in`: ours."""


def recall(piece: str) -> Source | None:
    """Return where `piece` came from the last time, or None."""
    return _read().get(piece)


def remember(piece: str, source: Source) -> None:
    """Write down where `piece` came from."""
    with exclusive(cache.toolchain() / ".sources.lock", "its notes"), cache.replacing(_path()) as aside:
        aside.write_text(json.dumps({**_read(), piece: source}, indent=2, sort_keys=True) + "\n")


def _path() -> Path:
    return cache.toolchain() / "sources.json"


def _read() -> dict[str, Source]:
    # A damaged note costs one more look around, so it is as good as none.
    try:
        content = json.loads(_path().read_text())
    except (OSError, ValueError):
        return {}
    return cast(dict[str, Source], content) if isinstance(content, dict) else {}
